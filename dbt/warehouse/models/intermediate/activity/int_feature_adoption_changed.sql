{{ count_changes('dw_a', 'feature_adoption', moment='first_used_at', measures={'feature_count': '1'}) }}
