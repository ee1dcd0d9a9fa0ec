{{ count_changes('dw_a', 'feature_adoption', moment='first_used_at', measures={'feature_count': '1'}, versions=ref('int_feature_adoption_versions')) }}
