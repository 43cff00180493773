//! Stage 2: what stands in the queue, when its clock runs out, what is flagged. Everything but `stage` is pure.
