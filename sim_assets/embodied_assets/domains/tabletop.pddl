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
)
