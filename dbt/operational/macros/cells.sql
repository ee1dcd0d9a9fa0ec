{#- A cell without what a keyboard leaves around it (also no-break and full-width spaces); null where nothing is left. -#}
{% macro cell(column) -%}
    nullif(btrim({{ column }}, E' \t\r\n\u00a0\u3000\ufeff'), '')
{%- endmacro %}

{#-
    A day, written in one of the forms a column allows: `%Y-%m-%d`, `%d/%m/%Y`, `%m/%d/%Y`, `%d.%m.%Y`, `%Y-%m`, `%m/%Y`, `%b %Y`. The forms without
    a day mean its first. A bare number is a day, too, as spreadsheets count them: somebody removed the format. Smaller ones may be years, and stay text,
    as in regulars/sources/sheet_table.py. Null for any other text, and for a day that no month has.
-#}
{% macro day_from(text, forms) -%}
    {%- set parts = {'%Y': '([0-9]{4})', '%m': '([0-9]{1,2})', '%d': '([0-9]{1,2})', '%b': '([A-Za-z]{3})[a-z]*[.]?'} -%}
    {%- set months = "'janfebmaraprmayjunjulaugsepoctnovdec'" -%}
    coalesce(
    {%- for form in forms %}
        {%- set found = {} -%}
        {%- for sign in modules.re.findall('%[Ymdb]', form) -%}
            {%- do found.update({sign: '(regexp_match(' ~ text ~ ", '{}'))[" ~ loop.index ~ ']'}) -%}
        {%- endfor -%}
        {%- set pattern = namespace(text=modules.re.escape(form).replace('\\%', '%').replace('\\ ', ' +')) -%}
        {%- for sign, expression in parts.items() -%}
            {%- set pattern.text = pattern.text.replace(sign, expression) -%}
        {%- endfor -%}
        {%- set year = 'cast(' ~ found['%Y'] ~ ' as integer)' -%}
        {%- set name = 'strpos(' ~ months ~ ', lower(' ~ found['%b'] ~ '))' if '%b' in found -%}
        {%- set month = '(' ~ name ~ ' + 2) / 3' if '%b' in found else 'cast(' ~ found['%m'] ~ ' as integer)' -%}
        {%- set day = 'cast(' ~ found['%d'] ~ ' as integer)' if '%d' in found else '1' %}
        {%- set anchored = '^' ~ pattern.text ~ '$' %}
        case
            when {{ text }} !~ '{{ anchored }}' then null
            when {{ year | replace('{}', anchored) }} < 1 then null
            {%- if '%b' in found %}
            when {{ name | replace('{}', anchored) }} % 3 <> 1 then null
            {%- endif %}
            when {{ month | replace('{}', anchored) }} not between 1 and 12 then null
            when {{ day | replace('{}', anchored) }} not between 1 and extract(
                day from make_date({{ year | replace('{}', anchored) }}, {{ month | replace('{}', anchored) }}, 1) + interval '1 month - 1 day'
            ) then null
            else make_date({{ year | replace('{}', anchored) }}, {{ month | replace('{}', anchored) }}, {{ day | replace('{}', anchored) }})
        end,
    {%- endfor %}
        case
            when {{ text }} !~ '^[0-9]{4,7}$' then null
            when cast({{ text }} as integer) between 3000 and 2958465 then date '1899-12-30' + cast({{ text }} as integer)
        end
    )
{%- endmacro %}
