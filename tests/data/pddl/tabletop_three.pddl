(define (problem three) (:domain tabletop)
  (:objects red green blue - block mug - cup desk - table bin - bin drawer - cabinet
            crimson - color)
  (:init (hand-empty) (on red desk) (on green red) (clear green) (on blue desk) (clear blue)
         (on mug desk) (clear mug) (open bin)
         (stackable red) (stackable green) (stackable blue)
         (fits red bin) (fits green bin) (fits blue bin) (fits mug bin) (fits mug drawer)
         (has-color red crimson) (has-color blue crimson))
  (:goal (and (on red blue) (in mug drawer) (not (open drawer)))))
