{{ dimension_of(ref('int_customers_history'), 'customer', tracked_of_customers()) }}
