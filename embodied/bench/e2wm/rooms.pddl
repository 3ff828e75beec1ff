; People walk between rooms, and carry things that they took.
(define (domain rooms)
  (:requirements :strips :typing)
  (:types person thing room)
  (:predicates (at ?p - person ?r - room) (holding ?p - person ?t - thing) (in ?t - thing ?r - room)))
