; Tabletop manipulation with one arm and a parallel gripper.
;
; The scene adds its categories (block, cup, bin, ...) as subtypes of item, surface, container or
; drawer, so that goals may quantify over them: (forall (?b - block) (in ?b bin)).
; Every predicate is measured by embodied.world.grounding; the facts in a problem's :init are
; measurements, never model text.
(define (domain tabletop)
  (:requirements :strips :typing :negative-preconditions :universal-preconditions
                 :disjunctive-preconditions :conditional-effects :equality)
  (:types
    support container color - object
    item surface - support
    drawer - container)
  (:predicates
    (on ?x - item ?s - support)       ; x rests directly on s; an item in a container may rest on
                                      ; another one there and is then both on it and in
    (in ?x - item ?c - container)     ; x is inside c
    (clear ?x - item)                 ; nothing rests on x, and x is not held
    (holding ?x - item)
    (hand-empty)
    (open ?c - container)             ; things can be put in and taken out; always so for bins
    (stackable ?x - item)             ; static: another item can rest on x
    (fits ?x - item ?c - container)   ; static: x is small enough for c
    (has-color ?x - object ?k - color)) ; static

  ; take x off a surface
  (:action pick
    :parameters (?x - item ?s - surface)
    :precondition (and (hand-empty) (on ?x ?s) (clear ?x))
    :effect (and (holding ?x) (not (hand-empty)) (not (on ?x ?s)) (not (clear ?x))))

  ; take x off another item
  (:action unstack
    :parameters (?x - item ?y - item)
    :precondition (and (hand-empty) (on ?x ?y) (clear ?x))
    :effect (and (holding ?x) (not (hand-empty)) (not (on ?x ?y)) (not (clear ?x)) (clear ?y)
                 (forall (?c - container) (not (in ?x ?c)))))

  ; take x out of a container
  (:action take-out
    :parameters (?x - item ?c - container)
    :precondition (and (hand-empty) (in ?x ?c) (clear ?x) (open ?c))
    :effect (and (holding ?x) (not (hand-empty)) (not (in ?x ?c)) (not (clear ?x))
                 (forall (?y - item) (when (on ?x ?y) (and (not (on ?x ?y)) (clear ?y))))))

  ; put the held x on a surface
  (:action place
    :parameters (?x - item ?s - surface)
    :precondition (holding ?x)
    :effect (and (on ?x ?s) (clear ?x) (hand-empty) (not (holding ?x))))

  ; put the held x on another item
  (:action stack
    :parameters (?x - item ?y - item)
    :precondition (and (holding ?x) (clear ?y) (stackable ?y)
                       (forall (?c - container) (not (in ?y ?c))))
    :effect (and (on ?x ?y) (clear ?x) (hand-empty) (not (holding ?x)) (not (clear ?y))))

  ; put the held x into a container
  (:action put-in
    :parameters (?x - item ?c - container)
    :precondition (and (holding ?x) (open ?c) (fits ?x ?c))
    :effect (and (in ?x ?c) (clear ?x) (hand-empty) (not (holding ?x))))

  (:action open
    :parameters (?d - drawer)
    :precondition (and (hand-empty) (not (open ?d)))
    :effect (open ?d))

  (:action close
    :parameters (?d - drawer)
    :precondition (and (hand-empty) (open ?d))
    :effect (not (open ?d))))
