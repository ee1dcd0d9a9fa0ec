{{ count_changes('dw_b', 'support_chats', moment='started_at', measures={'support_chat_count': '1'}) }}
