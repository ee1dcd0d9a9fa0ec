"""Profiles: the population. Wrong here is wrong everywhere, so most rules about completeness block."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask customer-platform what changed in the profile export; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    regions = context.visible_rows("region_metadata", "region_code")
    biggest_tier = "greatest({})".format(
        ", ".join(f"count(case when tier = '{tier}' then 1 end)" for tier in context.contract.by_name["tier"].enum)
    )
    expectations = [
        *rules.arrived_as_usual(context, floor=0.8, ceiling=1.5),
        *rules.one_version(context, warn=0.01, block=0.1),
        rules.rows_hold(
            "signed_up_before_update",
            "A profile is not changed before the account was opened (a day of slack for zones).",
            "signed_up_on <= cast(updated_at as date) + 1",
            mostly=0.98,
            severity="warn",
            remedy=ASK,
        ),
        rules.filled("email_hash", 0.8, remedy=ASK),
        rules.filled("region_code", 0.9, remedy=ASK),
        *rules.share(
            "active_accounts",
            "Part of the accounts is active.",
            "account_status = 'active'",
            block=(0.05, None),
            warn=(0.4, None),
            remedy=ASK,
        ),
        *rules.share(
            "marketing_consent_given",
            "Consent to marketing is neither all yes nor all no.",
            "marketing_consent",
            warn=(1e-9, 1 - 1e-9),
            remedy=ASK,
        ),
        *rules.share(
            "support_consent_given",
            "Consent to support contact is neither all yes nor all no.",
            "support_consent",
            warn=(1e-9, 1 - 1e-9),
            remedy=ASK,
        ),
        *rules.measure(
            "biggest_tier",
            "No single tier holds nearly all accounts.",
            f"cast({biggest_tier} as double) / count(*)",
            warn=(None, 0.95),
            remedy=ASK,
        ),
        *rules.measure(
            "shared_email",
            "Few accounts share an e-mail address.",
            "1 - cast(count(distinct email_hash) as double) / nullif(count(email_hash), 0)",
            warn=(None, 0.1),
            remedy=ASK,
        ),
        *rules.share(
            "updated_lately",
            "Some profiles changed in the last week.",
            f"updated_at >= timestamp '{context.day.window(6)[0]}'",
            warn=(1e-9, None),
            remedy=ASK,
        ),
    ]
    if "region_metadata" in context.visible:
        expectations += rules.query_value(
            "known_regions",
            "The region of nearly all accounts is in region_metadata.",
            "select cast(count(k.region_code) as double) / nullif(count(b.region_code), 0) from {batch} as b "
            f"left join (select distinct region_code from ({regions}) as r) as k on b.region_code = k.region_code",
            block=(0.5, None),
            warn=(0.98, None),
            bad_rows=f"region_code not in ({regions})",
            remedy=(
                "ask sales-operations for the missing regions; their rows are counted in marts.loyalty_unmatched_rows"
            ),
        )
    return gx.ExpectationSuite(name="raw.user_profile", expectations=expectations)
