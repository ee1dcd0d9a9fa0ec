{{ loyalty_days(newest_day()) }}
