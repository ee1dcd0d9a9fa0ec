{{ count_changes('dw_b', 'repeat_engagements', moment='engaged_at', measures={'repeat_engagement_count': '1'}) }}
