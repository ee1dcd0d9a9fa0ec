{{ count_changes('dw_a', 'engagement_score', day='scored_on', measures={
    'score_count': 'case when engagement_score is not null then 1 else 0 end',
    'score_points': 'coalesce(engagement_score, 0)',
}) }}
