-- Views of each team over what its exposures name (after the first publication): they outlive the swap of the schemas below them
use role {{ account.role("transformer") | name }};
{% for team in account.limited_teams %}
{% for view in account.teams[team] %}
create or replace secure view {{ name(account.published, team_schema(team), view.model) }} copy grants as
    select {% for column in view.columns %}{{ column | name }}{% if not loop.last %}{{ statement(", ") }}{% endif %}{% endfor %} from {{ name(account.published, view.schema, view.model) }};
{% endfor %}
{% endfor %}
