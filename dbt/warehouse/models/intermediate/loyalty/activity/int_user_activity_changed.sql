{{ count_changes('dw_a', 'user_activity', moment='occurred_at', measures={
    'login_count': "case when activity_type = 'login' then 1 else 0 end",
    'purchase_count': "case when activity_type = 'purchase' then 1 else 0 end",
    'feedback_count': "case when activity_type = 'feedback' then 1 else 0 end",
    'purchase_amount': "case when activity_type = 'purchase' then coalesce(purchase_amount, 0) else 0 end",
}) }}
