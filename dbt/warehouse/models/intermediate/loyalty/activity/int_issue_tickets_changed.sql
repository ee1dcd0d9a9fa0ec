{{ count_changes('dw_b', 'issue_tickets', moment='opened_at', measures={
    'ticket_count': '1',
    'open_ticket_count': "case when status in ('open', 'pending') then 1 else 0 end",
}) }}
