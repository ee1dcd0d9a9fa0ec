{#- A part of a date as bigint: year, month or day. -#}
{% macro date_part_of(part, day) -%} cast(extract({{ part }} from {{ day }}) as bigint) {%- endmacro %}

{#- Day of the week after ISO 8601, 1 (Monday) to 7, counted from a Monday, because engines begin their weeks differently. -#}
{% macro iso_weekday(day) -%} cast(mod({{ days_between("date '1899-12-25'", day) }}, 7) + 1 as bigint) {%- endmacro %}

{#- First day of the month of a date. -#}
{% macro first_of_month(day) -%} cast(date_trunc('month', {{ day }}) as date) {%- endmacro %}

{#- Whole months from one first of a month to another. -#}
{% macro months_between(since, until) -%}
    ({{ date_part_of('year', until) }} * 12 + {{ date_part_of('month', until) }} - {{ date_part_of('year', since) }} * 12 - {{ date_part_of('month', since) }})
{%- endmacro %}
