{{ count_changes('dw_a', 'retention_action', moment='acted_at', measures={'retention_action_count': '1'}, versions=ref('int_retention_action_versions')) }}
