; Walking over the free cells of one area.
(define (domain walk)
  (:requirements :strips)
  (:predicates (at ?c) (next ?c ?d))
  (:action step :parameters (?c ?d)
    :precondition (and (at ?c) (next ?c ?d))
    :effect (and (not (at ?c)) (at ?d))))
