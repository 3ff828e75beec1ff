; Blocks, bowls and a disinfector on a table, as in the episodes of Statler (Yoneda et al. 2023).
;
; A block rests directly on one place: the table, a bowl, the disinfector or another block. Dirt
; spreads by touch, in both directions and through whole towers. Of a block that is neither dirty nor
; clean it is not known which, and a clean block that touches such a one is not known to be clean
; any more. The disinfector cleans what is put on its floor. soil and certify are not the robot's:
; they are what somebody says of a block, with what follows for its tower.
(define (domain statler)
  (:requirements :strips :typing :equality :negative-preconditions :existential-preconditions
                 :disjunctive-preconditions :conditional-effects :universal-preconditions)
  (:types
    place - object
    block spot disinfector - place
    bowl table - spot)
  (:predicates
    (on ?x - block ?p - place)
    (above ?x - block ?y - block) ; x is somewhere on top of y
    (dirty ?x - block)
    (clean ?x - block))

  (:action put
    :parameters (?x - block ?from - place ?to - spot)
    :precondition (and (on ?x ?from) (not (exists (?z - block) (on ?z ?x))))
    :effect (and (not (on ?x ?from)) (on ?x ?to)
                 (forall (?z - block) (not (above ?x ?z)))))

  (:action disinfect
    :parameters (?x - block ?from - place ?to - disinfector)
    :precondition (and (on ?x ?from) (not (exists (?z - block) (on ?z ?x))))
    :effect (and (not (on ?x ?from)) (on ?x ?to)
                 (forall (?z - block) (not (above ?x ?z)))
                 (not (dirty ?x)) (clean ?x)))

  (:action stack
    :parameters (?x - block ?from - place ?y - block)
    :precondition (and (on ?x ?from) (not (= ?x ?y))
                       (not (exists (?z - block) (on ?z ?x)))
                       (not (exists (?z - block) (and (on ?z ?y) (not (= ?z ?x))))))
    :effect (and (not (on ?x ?from)) (on ?x ?y) (above ?x ?y)
                 (forall (?z - block) (when (not (above ?y ?z)) (not (above ?x ?z))))
                 (forall (?z - block) (when (above ?y ?z) (above ?x ?z)))
                 (when (dirty ?y) (and (dirty ?x) (not (clean ?x))))
                 (when (not (or (dirty ?y) (clean ?y))) (not (clean ?x)))
                 (forall (?z - block)
                   (when (and (dirty ?x) (or (= ?z ?y) (above ?y ?z)))
                         (and (dirty ?z) (not (clean ?z)))))
                 (forall (?z - block)
                   (when (and (not (or (dirty ?x) (clean ?x))) (or (= ?z ?y) (above ?y ?z)))
                         (not (clean ?z))))))

  (:action soil
    :parameters (?x - block)
    :effect (and (dirty ?x) (not (clean ?x))
                 (forall (?z - block)
                   (when (or (above ?x ?z) (above ?z ?x)) (and (dirty ?z) (not (clean ?z)))))))

  (:action certify
    :parameters (?x - block)
    :precondition (not (dirty ?x))
    :effect (and (clean ?x)
                 (forall (?z - block)
                   (when (or (above ?x ?z) (above ?z ?x)) (clean ?z))))))
