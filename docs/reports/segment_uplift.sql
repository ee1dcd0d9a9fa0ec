-- Did it help to deliver a segment? Delivered members against those held out since they entered; docs/segments.md has the formulas.
-- One row per segment and outcome, with the 95 % interval of the difference, what may be said, and the members that are lacking.
select
    segment,
    outcome,
    treated_members,
    held_out_members,
    waiting_members,
    treated_mean,
    held_out_mean,
    difference,
    difference_lower,
    difference_upper,
    cast(round(100 * cast(relative_uplift as double), 1) as decimal(18, 1)) as uplift_pct,
    status,
    reason,
    treated_still_needed,
    held_out_still_needed
from segments.segment_uplift
order by segment, outcome
