{{ count_changes('dw_b', 'service_requests', moment='requested_at', measures={
    'service_request_count': '1',
    'open_service_request_count': "case when status in ('open', 'in_progress') then 1 else 0 end",
}) }}
