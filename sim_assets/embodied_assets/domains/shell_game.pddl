; Cups that hide a ball and change places: what is hidden moves with its container.
(define (domain shell-game)
  (:requirements :strips :typing :equality :negative-preconditions :existential-preconditions)
  (:types cup ball spot)
  (:predicates
    (at ?c - cup ?s - spot)
    (in ?b - ball ?c - cup))

  (:action swap
    :parameters (?c - cup ?s - spot ?d - cup ?t - spot)
    :precondition (and (at ?c ?s) (at ?d ?t) (not (= ?c ?d)))
    :effect (and (not (at ?c ?s)) (not (at ?d ?t)) (at ?c ?t) (at ?d ?s)))

  (:action hide
    :parameters (?b - ball ?c - cup)
    :precondition (not (exists (?d - cup) (in ?b ?d)))
    :effect (in ?b ?c))

  (:action uncover
    :parameters (?b - ball ?c - cup)
    :precondition (in ?b ?c)
    :effect (not (in ?b ?c))))
