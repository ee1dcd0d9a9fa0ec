{{ count_changes('dw_b', 'support_calls', moment='started_at', measures={'support_call_count': '1'}) }}
