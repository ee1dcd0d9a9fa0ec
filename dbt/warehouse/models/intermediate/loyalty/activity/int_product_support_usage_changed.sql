{{ count_changes('dw_b', 'product_support_usage', moment='viewed_at', measures={'help_view_count': '1'}) }}
