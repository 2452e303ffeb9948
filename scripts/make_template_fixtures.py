#!/usr/bin/env python3
"""Makes Tests/TinyTemplateTests/Fixtures/snippets.json: small templates with what jinja2 renders them to, or null where
it raises. The environment is the one that transformers sets up for chat templates (a sandbox with trimmed blocks, loop
controls, `generation`, its own `tojson`, `raise_exception`, `strftime_now`), rebuilt here so that only jinja2 is needed.

    python scripts/make_template_fixtures.py [OUTPUT]
"""
import datetime
import json
import pathlib
import sys

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

NOW = datetime.datetime(2026, 3, 7, 14, 5, 9)

VALUES = {
    "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True, "none_value": None, "n": 7, "x": 2.5,
    "neg": -3, "yes": True, "no": False, "empty": "", "name": "World", "zh": "你好,世界", "accents": "e\u0301\u00e9 ß ǆ İ",
    "emoji": "👨‍👩‍👧😀", "spaced": "  a b\t\n ", "lines": "one\ntwo\n\nthree\r\nfour", "quote": "it's \"x\"", "html": "<a href='x'>&</a>",
    "messages": [
        {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello", "tool_calls": [{"name": "f", "arguments": {"a": 1, "b": [True, None, 1.5, "é\n"]}}]},
        {"role": "user", "content": "Bye"},
    ],
    "numbers": [3, 1, 2, 10], "words": ["pear", "Apple", "fig", "apple"], "nested": {"a": {"b": [1, {"c": "deep"}]}},
    "people": [{"name": "Bo", "age": 30, "t": {"k": 2}}, {"name": "al", "age": 25, "t": {"k": 1}}, {"name": "Cy", "age": 30, "t": {"k": 3}}],
    "mixed": {"z": 1, "A": "two", "b": None, "items": "hidden", "count": 5}, "empty_list": [], "empty_map": {},
}

# Every line is a template of its own; "\n" in a line is a line break.
ONE_LINERS = r"""
plain text
{{ name }}
{{ missing }}|
{{ missing.x }}
{{ none_value }} {{ yes }} {{ no }} {{ n }} {{ x }} {{ neg }}
{{ none_value.x }}|{{ n.x }}|{{ messages.x }}|{{ empty_map.x }}
{{ none_value.x.y }}
{{ messages[9] }}|{{ messages[-1].content }}|{{ messages[9].x }}
{{ messages[0]['role'] }}{{ messages[0].role }}{{ messages.0.role }}
{{ nested.a.b[1].c }} {{ nested['a']['b'][0] }} {{ nested.a['b'].1.c }}
{{ 'a' 'b' "c" }}
{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 2 ** -1 }}
{{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ (2 + 3) * 4 }} {{ 10 / 4 }} {{ 10 / 5 }}
{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ 7.5 % 2 }} {{ -7.5 % 2 }} {{ 1.5 + 1 }} {{ 3 * 0.1 }} {{ 1e3 }} {{ 1.5e-7 }} {{ 1_000 }}
{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1e16 }} {{ 123456789012345680.0 }} {{ 0.0001 }} {{ 0.00001 }} {{ 100000.0 }} {{ 5e-324 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 'a' + 1 }}
{{ 'a' + 'b' }}{{ 'ab' * 3 }}{{ 3 * 'x' }}{{ 'a' * 0 }}{{ 'a' * -1 }}
{{ [1] + [2, 3] }} {{ [0] * 3 }} {{ (1, 2) + (3,) }}
{{ [1] + (2,) }}
{{ 1 ~ 'a' ~ none ~ 2.0 ~ true ~ [1, 'x'] ~ missing }}
{{ true + 1 }} {{ true and 5 }} {{ 0 or 'x' }} {{ '' and 1 }}| {{ not 1 }} {{ not not '' }} {{ none or false }}
{{ 1 < 2 }} {{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 3 > 2 >= 2 != 1 }} {{ 'a' < 'b' }} {{ 'B' < 'a' }} {{ [1, 2] < [1, 3] }} {{ 1 <= 1.0 }}
{{ 1 < 'a' }}
{{ none < 1 }}
{{ missing < 1 }}
{{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' == 'a' }} {{ [1, 'a'] == [1, 'a'] }} {{ {'a': 1} == {'a': 1.0} }} {{ (1,) == [1] }} {{ none == false }} {{ missing == nothing }} {{ '1' == 1 }}
{{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1} }} {{ 1 != 2 }} {{ missing == none }} {{ 1 in [1.0] }}
{{ 'a' in 'cat' }} {{ 'x' not in 'cat' }} {{ '' in 'a' }} {{ 1 in [1, 2] }} {{ 'role' in messages[0] }} {{ 'x' in missing }} {{ 3 not in (1, 2) }} {{ 'a' in {'a': 1} }}
{{ 1 in 'a' }}
{{ 'a' in none }}
{{ 'a' in 5 }}
{{ 1 if true else 2 }} {{ 1 if false else 2 }} {{ 1 if false }}| {{ 'a' if n > 5 else 'b' if n > 3 else 'c' }}
{{ (1 if no else 2) + 1 }} {{ n if n is defined else 0 }} {{ 'y' if missing else 'z' }}
{{ not n == 7 }} {{ not (n == 7) }} {{ 1 + 1 == 2 and not false }} {{ not 'a' in 'b' }}
{{ -n }} {{ +n }} {{ - 2 + 3 }} {{ -x|abs }} {{ -(3)|abs }}
{{ -'a' }}
{{ name[0] }} {{ name[-1] }} {{ name[1:3] }} {{ name[:-1] }} {{ name[::-1] }} {{ name[::2] }} {{ name[99:] }}| {{ name[-3:] }} {{ name[3:1] }}| {{ name[99] }}|
{{ numbers[1:] }} {{ numbers[::-1] }} {{ numbers[:-1] }} {{ numbers[-2:] }} {{ numbers[5:] }} {{ numbers[3:0:-1] }} {{ numbers[-1:-3:-1] }} {{ numbers[10::-2] }} {{ numbers[:1:-1] }}
{{ numbers[::0] }}
{{ numbers['a':] }}
{{ (1, 2, 3)[1:] }} {{ (1, 2)[0] }} {{ range(5)[1:3]|list }} {{ range(10)[-1] }} {{ messages[1:]|length }} {{ messages[none:1]|length }}
{{ zh[0] }}{{ zh[1:3] }}{{ zh|length }} {{ emoji|length }} {{ emoji[0] }} {{ emoji[::-1] }} {{ accents|length }} {{ accents[0:2] }}
{{ 'e\u0301' == '\u00e9' }} {{ '\u00e9' in accents }} {{ 'e' in 'e\u0301' }} {{ 'e\u0301'|length }} {{ 'a\u030a'.replace('a', 'b') }}
{{ {'e\u0301': 1, '\u00e9': 2}|length }} {{ ['e\u0301', '\u00e9']|unique|list|length }} {{ 'e\u0301x'.split('e')|length }} {{ '\r\n'|length }} {{ 'a\r\nb'.split('\n') }}
{{ 'tab\tnl\\n\'q\' \x41 \u4f60 \101 \q \"' }}
{{ "a\
b" }}
{{ [] }} {{ [1, 2,] }} {{ ['a', "b'c", 'd"e', 'f\'"', none, true, 1.0] }} {{ () }} {{ (1,) }} {{ (1, 'a') }} {{ {} }} {{ {'a': 1, 2: [3], none: (4,)} }} {{ [[], {}] }}
{{ ['\n\t\\', '你', '\x07', '\u200b', '\U0001F600'] }}
{{ 1, 2 }} {{ (1, 2)|length }} {{ {1: 'a', 1.0: 'b', true: 'c'} }} {{ {'a': 1, 'a': 2} }} {{ {1: 'x'}[1] }} {{ {(1, 2): 'x'}[(1, 2)] }}
{{ {[1]: 2} }}
{{ mixed['items'] }} {{ mixed.count }} {{ mixed['count'] }} {{ mixed.z }} {{ empty_map['items'] is defined }}
{{ mixed|length }} {{ mixed|list }} {{ mixed.keys()|list }} {{ mixed.values()|list }} {{ mixed.items()|list }} {{ mixed.get('z') }} {{ mixed.get('q') }} {{ mixed.get('q', 9) }}
{{ mixed.items()|length }} {{ mixed.keys()|length }} {{ {}.items()|list }}
{{ mixed.get() }}
{{ mixed.pop('z') }}
{{ mixed.update({'z': 2}) }}
{{ numbers.append(4) }}
{{ numbers.pop() }}
{{ numbers.sort() }}
{{ numbers.index(2) }} {{ numbers.count(1) }} {{ (1, 1).count(1) }}
{{ numbers.index(99) }}
{{ numbers.foo() }}
{{ name() }}
{{ missing() }}
{{ 5() }}
{{ ''.__class__ }}|{{ [].__class__.__mro__ }}
{{ ''.__class__ }}|{{ ''['__class__'] }}|{{ [].__len__ }}|{{ messages.__add__ }}
{{ raise_exception('no ' ~ name) }}
{{ raise_exception() }}
{{ strftime_now('%Y-%m-%d %H:%M:%S %B %b %A %a %j %y %I %p %d %% %e %-d %F %T %D %R %u %w') }}
{{ strftime_now('é %d 日') }}
{{ range(4)|list }} {{ range(1, 4)|list }} {{ range(5, 0, -2)|list }} {{ range(0)|list }} {{ range(3, 1)|list }} {{ range(3)|length }} {{ range(3)|last }}
{{ range(1, 2, 0) }}
{{ range('a') }}
{{ range(1000000)|length }}
{{ range(0, 9000000000000000000)|first }}
{{ dict(a=1, b='x') }} {{ dict({'a': 1}, b=2) }} {{ dict([('k', 'v')]) }} {{ dict() }}
{{ namespace(a=1).a }} {{ namespace({'b': 2}).b }} {{ namespace().x is defined }}
{{ namespace(_a=1) }}
{{ 'a'|upper }} {{ 'ABC'|lower }} {{ 'straße ǆ'|upper }} {{ 'hello wORLD-foo (bar) it\'s'|title }} {{ 'hELLO World'|capitalize }} {{ zh|upper }}
{{ accents|upper }} {{ accents|lower }} {{ 5|upper }} {{ none|upper }} {{ missing|upper }}|
{{ spaced|trim }}| {{ 'xxaxx'|trim('x') }} {{ '\u3000a\xa0'|trim }}| {{ 5|trim }} {{ none|trim }} {{ missing|trim }}|
{{ name|length }} {{ numbers|count }} {{ missing|length }} {{ mixed|length }} {{ (1, 2)|count }}
{{ 5|length }}
{{ none|length }}
{{ numbers|map('string')|length }}
{{ numbers|join(', ') }} {{ numbers|join }} {{ words|join('-') }} {{ people|join('|', attribute='name') }} {{ 'abc'|join('.') }} {{ []|join('x') }}| {{ [1, none, 'a']|join(' ') }} {{ mixed|join(',') }}
{{ 5|join }}
{{ none|join }}
{{ 'aaaa'|replace('a', 'b') }} {{ 'aaaa'|replace('a', 'b', 2) }} {{ 'abc'|replace('', '-') }} {{ 'abc'|replace('b', '') }} {{ 'abc'|replace('', '-', 2) }} {{ 121|replace(1, 3) }} {{ 'aaa'|replace('aa', 'b') }}
{{ missing|default('d') }} {{ missing|d }}| {{ none|default('d') }} {{ none|default('d', true) }} {{ ''|default('e', true) }} {{ 0|default(1, boolean=true) }} {{ n|default(1) }} {{ missing|default(default_value=3) }} {{ mixed.q|default([]) }}
{{ missing.a|default('d') }}
{{ numbers|first }} {{ numbers|last }} {{ 'abc'|first }} {{ 'abc'|last }} {{ []|first }}| {{ []|last }}| {{ mixed|first }} {{ mixed|last }} {{ ''|first }}|
{{ 'abc'|list }} {{ mixed|list }} {{ (1, 2)|list }} {{ missing|list }} {{ range(3)|list }}
{{ none|list }}
{{ 5|string + 'a' }} {{ none|string }} {{ [1]|string }} {{ name|string }} {{ 1.0|string }} {{ true|string }} {{ missing|string }}|
{{ '42'|int }} {{ '42.9'|int }} {{ 'x'|int }} {{ 'x'|int(7) }} {{ 3.9|int }} {{ -3.9|int }} {{ none|int }} {{ true|int }} {{ ' 5 '|int }} {{ '0x1f'|int(base=16) }} {{ 'ff'|int(0, 16) }} {{ '1_000'|int }} {{ []|int }} {{ '-7'|int }} {{ '1e3'|int }} {{ ''|int }}
{{ missing|int }}
{{ '1.5'|float }} {{ 'x'|float }} {{ 'x'|float(2.5) }} {{ 3|float }} {{ '1e5'|float }} {{ none|float }} {{ 'inf'|float }} {{ ' 2 '|float }} {{ 'nan'|float }} {{ '-inf'|float }} {{ '1_0.5'|float }}
{{ -5|abs }} {{ (-5)|abs }} {{ (-2.5)|abs }} {{ true|abs }}
{{ 'a'|abs }}
{{ 42.55|round }} {{ 42.55|round(1) }} {{ 42.55|round(1, 'floor') }} {{ 42.51|round(1, 'ceil') }} {{ 2.5|round }} {{ 3.5|round }} {{ -2.5|round }} {{ 5|round }} {{ 2.675|round(2) }} {{ 1234.5|round(-2) }} {{ 0.1|round(5) }} {{ 42.4|round|int }} {{ 1e22|round(2) }} {{ 7|round(method='floor') }}
{{ 1.5|round(0, 'up') }}
{{ 'abc'|reverse }} {{ numbers|reverse|list }} {{ (1, 2)|reverse|list }} {{ mixed|reverse|list }} {{ 'abc'|reverse|upper }} {{ range(3)|reverse|list }}
{{ 5|reverse }}
{{ numbers|sort }} {{ numbers|sort(reverse=true) }} {{ words|sort }} {{ words|sort(case_sensitive=true) }} {{ words|sort(true) }} {{ people|sort(attribute='name')|map(attribute='name')|list }} {{ people|sort(attribute='age,name')|map(attribute='name')|join(',') }} {{ people|sort(attribute='t.k', reverse=true)|map(attribute='t.k')|list }} {{ 'hello'|sort }} {{ mixed|sort }}
{{ people|sort(attribute='age')|map(attribute='name')|list }} {{ people|sort(attribute='age', reverse=true)|map(attribute='name')|list }} {{ [[2, 1], [1, 9]]|sort }} {{ [1.5, true, 0]|sort }}
{{ [1, 'a']|sort }}
{{ [none, 1]|sort }}
{{ people|sort }}
{{ words|unique|list }} {{ [1, 1.0, true, 2]|unique|list }} {{ words|unique(case_sensitive=true)|list }} {{ people|unique(attribute='age')|map(attribute='name')|list }}
{{ [[1]]|unique|list }}
{{ numbers|map('string')|list }} {{ words|map('upper')|join(' ') }} {{ people|map(attribute='name')|list }} {{ people|map(attribute='q')|list }} {{ people|map(attribute='q', default='-')|list }} {{ people|map(attribute='t.k')|list }} {{ [['a', 'b']]|map('join', '-')|list }} {{ ['aXb']|map('replace', 'X', '.')|list }} {{ messages|map(attribute=0)|list }} {{ [[1, 2]]|map(attribute=1)|list }}
{{ words|map('nope')|list }}
{{ words|map|list }}
{{ [0, 1, '', 'a', none]|select|list }} {{ numbers|select('odd')|list }} {{ numbers|select('>', 2)|list }} {{ numbers|select('divisibleby', 2)|list }} {{ [1, none]|reject('none')|list }} {{ numbers|reject('even')|list }} {{ none|select|list }} {{ [0, 1]|reject|list }} {{ words|select('in', ['fig'])|list }}
{{ messages|selectattr('role', 'equalto', 'user')|map(attribute='content')|list }} {{ messages|selectattr('tool_calls')|list|length }} {{ messages|rejectattr('role', 'eq', 'user')|list|length }} {{ messages|selectattr('tool_calls', 'defined')|list|length }} {{ messages|rejectattr('tool_calls')|list|length }} {{ people|selectattr('t.k', 'ge', 2)|map(attribute='name')|list }} {{ people|selectattr('age', 'in', [25])|list|length }} {{ messages|selectattr('role', '==', 'system')|first }}
{{ people|selectattr('age', 'nope')|list }}
{{ people|selectattr|list }}
{{ [1, 2]|select('odd')|length }}
{{ 'yes' if []|select else 'no' }} {{ ([]|select|list) or 'none' }}
{% set g = numbers|select('odd') %}{{ g|list }}{{ g|list }}
{% set g = mixed|items %}{% for k, v in g %}{{ k }}{% endfor %}{% for k, v in g %}{{ k }}{% endfor %}
{{ mixed|items|list }} {{ missing|items|list }} {{ {}|items|list }}
{{ none|items|list }}
{{ 'ab'|items|list }}
{{ mixed|dictsort }} {{ mixed|dictsort(true) }} {{ {'a': 3, 'b': 1}|dictsort(by='value') }} {{ {'a': 3, 'b': 1}|dictsort(false, 'value', true) }} {{ mixed|dictsort(reverse=true)|first }}
{{ {'a': 1, 2: 3}|dictsort }}
{{ mixed|dictsort(by='x') }}
{{ messages|tojson }}
{{ messages[2].tool_calls|tojson(indent=2) }} {{ {}|tojson(indent=4) }} {{ []|tojson(indent=1) }} {{ [[]]|tojson(indent=0) }}
{{ mixed|tojson(sort_keys=true) }} {{ [1, {'a': 2}]|tojson(separators=(',', ':')) }} {{ zh|tojson }} {{ zh|tojson(ensure_ascii=true) }} {{ emoji|tojson(ensure_ascii=true) }} {{ html|tojson }} {{ [1, [2]]|tojson(indent='--') }} {{ [1, 2]|tojson(indent=2, separators=('; ', ' = ')) }}
{{ '\x00\x1f\x7f\x80\u2028\\/"\b\f\n\r\t'|tojson }} {{ '\x7f\x80'|tojson(ensure_ascii=true) }} {{ 1.0|tojson }} {{ 1e20|tojson }} {{ none|tojson }} {{ true|tojson }} {{ (1, 2)|tojson }} {{ {1: 2, none: 3, true: 4, 1.5: 5}|tojson }} {{ 'inf'|float|tojson }}
{{ missing|tojson }}
{{ range(3)|tojson }}
{{ mixed.items()|tojson }}
{{ mixed|tojson(bogus=1) }}
{{ 'a\nb\n\nc'|indent }}| {{ 'a\nb'|indent(2) }} {{ 'a\nb'|indent(2, true) }} {{ 'a\n\nb'|indent(2, blank=true) }} {{ 'a\nb'|indent('> ', first=true) }} {{ 'a\n'|indent }}| {{ ''|indent }}| {{ lines|indent(width=1) }}
{{ 5|indent }}
{{ numbers|min }} {{ numbers|max }} {{ words|min }} {{ words|max }} {{ people|max(attribute='age') }} {{ []|min }}| {{ words|min(case_sensitive=true) }} {{ 'hello'|max }}
{{ [1, 'a']|max }}
{{ numbers|sum }} {{ [1.5, 2]|sum }} {{ people|sum(attribute='age') }} {{ []|sum }} {{ numbers|sum(start=100) }} {{ [[1], [2]]|sum(start=[]) }}
{{ ['a']|sum }}
{{ html|e }} {{ html|escape }} {{ html|safe }} {{ html|safe + html }} {{ html + name|safe }} {{ (html|safe)|e }} {{ ('<%s>'|safe) % '<' }} {{ ('<'|safe ~ '<') + '<' }} {{ ('<'|safe).join(['<', '>']) }} {{ (html|safe)[0:3] + '<' }} {{ ('<'|safe)|upper + '>' }} {{ (' < '|safe).strip() + '>' }} {{ ('<'|safe)|trim + '>' }} {{ ('<{}>'|safe).format('<') }} {{ ('<'|safe) * 2 + '<' }} {{ 5|e }}
{{ 'the quick, brown_fox 5'|wordcount }} {{ ''|wordcount }} {{ zh|wordcount }}
{{ '%s is %d' % ('a', 5) }} {{ '%s' % name }} {{ '%5d|%-5d|%05d|%+d' % (42, 42, 42, 42) }} {{ '%.2f %f %8.3f %.0f' % (1.005, 2, 3.14159, 2.5) }} {{ '%x %X %%' % (255, 255) }} {{ '%(a)s-%(b)s' % {'a': 1, 'b': 2} }} {{ '%r' % 'a' }} {{ '%s-%s'|format(1, 'b') }} {{ '%(k)s'|format(k='v') }} {{ '%5s|%-5s|' % ('ab', 'ab') }} {{ '%.2s' % 'abc' }}
{{ '%s %s' % ('a',) }}
{{ '%s' % ('a', 'b') }}
{{ '%d' % 'a' }}
{{ '{} {}'.format('a', 1) }} {{ '{1}{0}'.format('a', 'b') }} {{ '{x}{y}'.format(x=1, y=none) }} {{ '{{}}{}'.format(5) }} {{ '<think{}>'.format('') }} {{ '{0.role}{0[content]}'.format(messages[0]) }} {{ '{0[1]}'.format([1, 2]) }}
{{ '{} {}'.format('a') }}
{{ '{x}'.format(y=1) }}
{{ '{'.format() }}
{{ 'a,b,,c'.split(',') }} {{ spaced.split() }} {{ 'a b c'.split(' ', 1) }} {{ 'a b c'.split(maxsplit=1) }} {{ ' a  b '.split(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a--b'.split('--') }} {{ 'a b c'.rsplit(' ', 1) }} {{ 'a b c '.rsplit(none, 1) }} {{ 'a.b.c'.rsplit('.') }} {{ 'abc'.split('x')[-1] }} {{ 'aXbX'.split('X') }} {{ 'x'.split('x', 0) }}
{{ 'a'.split('') }}
{{ 'a'.split(5) }}
{{ spaced.strip() }}| {{ spaced.lstrip() }}| {{ spaced.rstrip() }}| {{ 'xyaxy'.strip('xy') }} {{ 'xa'.lstrip('x') }} {{ 'ax'.rstrip('x') }} {{ '\n\na\n'.strip('\n') }} {{ 'abc'.strip('') }} {{ ' a '.strip(none) }}
{{ name.startswith('W') }} {{ name.startswith(('X', 'W')) }} {{ name.endswith('d') }} {{ name.endswith(('x', 'y')) }} {{ name.startswith('o', 1) }} {{ name.startswith('') }} {{ 'a'.endswith('abc') }} {{ 'ab'.startswith('b', -1) }} {{ ''.startswith('', 1) }}
{{ name.startswith(5) }}
{{ name.startswith(['W']) }}
{{ 'aXbX'.replace('X', '-') }} {{ 'aXbX'.replace('X', '-', 1) }} {{ 'ab'.replace('', '.') }} {{ 'a'.replace('a', '') }}| {{ 'aaa'.replace('a', 'b', 0) }} {{ 'aaa'.replace('a', 'b', -1) }}
{{ 'a'.replace('a') }}
{{ 'aBc'.upper() }} {{ 'aBc'.lower() }} {{ "they're bill's ǆ 3rd".title() }} {{ 'hELLO'.capitalize() }} {{ 'aBc'.swapcase() }} {{ 'ß'.upper() }} {{ 'ﬁx'.capitalize() }} {{ 'ﬁx'.title() }}
{{ 'hello'.find('l') }} {{ 'hello'.rfind('l') }} {{ 'hello'.find('z') }} {{ 'hello'.find('l', 3) }} {{ 'hello'.find('l', 0, 2) }} {{ 'hello'.index('e') }} {{ 'hello'.count('l') }} {{ 'aaa'.count('aa') }} {{ 'abc'.count('') }} {{ 'hello'.find('') }} {{ 'abc'.find('', 4) }} {{ 'hello'.rfind('l', -2) }} {{ 'hello'.rfind('') }} {{ 'abc'.find('c', -1) }}
{{ 'hello'.index('z') }}
{{ ','.join(['a', 'b']) }} {{ ''.join([]) }}| {{ '-'.join('abc') }} {{ ', '.join(mixed) }}
{{ ','.join([1]) }}
{{ 'abc'.isalpha() }} {{ 'a1'.isalnum() }} {{ '12'.isdigit() }} {{ '²'.isdigit() }} {{ '½'.isnumeric() }} {{ '²'.isdecimal() }} {{ '٣'.isdecimal() }} {{ ' \t'.isspace() }} {{ 'AB'.isupper() }} {{ 'ab1'.islower() }} {{ ''.isalpha() }} {{ ''.isdigit() }} {{ zh.isalpha() }} {{ '你'.isalpha() }} {{ 'Ab Cd'.istitle() }} {{ 'a'.isascii() }} {{ 'é'.isascii() }} {{ ''.isascii() }} {{ '1a'.isdigit() }}
{{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.txt'.removesuffix('.txt') }} {{ 'abc'.removeprefix('z') }} {{ 'abc'.removesuffix('') }}
{{ lines.splitlines() }} {{ 'a\nb'.splitlines(true) }} {{ ''.splitlines() }} {{ 'a\x0bb\u2028c'.splitlines() }} {{ 'a\n'.splitlines() }}
{{ 'a=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }} {{ 'a'.partition('=') }} {{ 'a'.rpartition('=') }}
{{ 'ab'.center(6) }}| {{ 'ab'.center(5, '*') }} {{ 'abc'.center(6, '*') }} {{ 'ab'.ljust(4) }}| {{ 'ab'.rjust(4, '.') }} {{ '42'.zfill(5) }} {{ '-42'.zfill(5) }} {{ 'abc'.ljust(1) }}
{{ 'a'.nope() }}
{{ 'a'.nope }}|
{{ n is defined }} {{ missing is defined }} {{ missing is undefined }} {{ missing is not defined }} {{ mixed.q is defined }} {{ none_value is none }} {{ n is not none }} {{ missing is none }}
{{ 'a' is string }} {{ 1 is string }} {{ 1 is number }} {{ 1.5 is number }} {{ true is number }} {{ 'a' is number }} {{ 1 is integer }} {{ true is integer }} {{ 1.0 is integer }} {{ 1.0 is float }} {{ 1 is float }} {{ true is boolean }} {{ 1 is boolean }} {{ true is true }} {{ 1 is true }} {{ false is false }} {{ 0 is false }}
{{ {} is mapping }} {{ [] is mapping }} {{ [] is iterable }} {{ 'a' is iterable }} {{ 1 is iterable }} {{ none is iterable }} {{ missing is iterable }} {{ [] is sequence }} {{ 'a' is sequence }} {{ {} is sequence }} {{ 5 is sequence }} {{ (1,) is sequence }} {{ range(2) is sequence }} {{ {}.items() is sequence }} {{ {}.items() is iterable }} {{ range is callable }} {{ 1 is callable }} {{ name.upper is callable }}
{{ missing is sequence }} {{ missing is mapping }} {{ missing is string }} {{ numbers|map('string') is sequence }} {{ numbers|map('string') is iterable }} {{ namespace() is mapping }}
{{ 3 is odd }} {{ 3 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ 2.0 is even }} {{ -1 is odd }} {{ true is odd }}
{{ 'a' is odd }}
{{ missing is even }}
{{ 1 is eq 1 }} {{ 1 is equalto(2) }} {{ 1 is == 1 }}
{{ 1 is ne 2 }} {{ 1 is lt 2 }} {{ 1 is gt 2 }} {{ 2 is ge 2 }} {{ 1 is le 0 }} {{ 1 is lessthan 2 }} {{ 1 is greaterthan 2 }} {{ 1 is in [1, 2] }} {{ 'a' is in 'abc' }} {{ 1 is not in [2] }}
{{ 'abc' is lower }} {{ 'ABC' is upper }} {{ 'Abc' is lower }} {{ none is sameas none }} {{ 1 is sameas true }} {{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }} {{ true is sameas true }}
{{ n is defined and n > 5 }} {{ n is defined or x }} {{ (n is number) == true }} {{ not n is string }} {{ n + 1 is odd }}
{{ n is nope }}
{{ n|nope }}
{{ n|nope.nope }}
{% if n %}{{ n|nope }}{% endif %}
{% if no %}{{ n|nope }}{{ n is nope }}{% else %}ok{% endif %}
{{ (n|nope) if no else 'fine' }}
{% nope %}
{% if n %}yes{% endif %}
{% if no %}a{% elif x %}b{% else %}c{% endif %}{% if no %}a{% elif no %}b{% else %}c{% endif %}{% if no %}a{% endif %}
{% if n == 7 and x > 2 or no %}t{% endif %}{% if not n %}f{% endif %}{% if (n) %}p{% endif %}{% if 1, 2 %}tuple{% endif %}
{% if n
{% if n %}
{% endif %}
{% else %}
{% for x in [1] %}{% endif %}
{{ n
{{ n }
{{ }}
{{ n n }}
{{ 1 + }}
{{ (1 }}
{{ [1 }}
{{ {'a' 1} }}
{{ 'abc }}
{{ a.1b }}
{{ a..b }}
{{ @ }}
{{ n ? 1 : 2 }}
{# unclosed
{% raw %}x
{% set %}
{% set 5 = 1 %}
{% set x %}
{% for %}
{% for 1 in [1] %}{% endfor %}
{% for x of [1] %}{% endfor %}
{% macro %}{% endmacro %}
{% macro f(a=1, b) %}{% endmacro %}
{% include 'x' %}
{% import 'x' as y %}
{% extends 'x' %}
{% break %}
{% for i in 5 %}{% endfor %}
{% for i in none %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{% endfor %}
{% set a, b = [1] %}
{% set q.a = 1 %}
{% set mixed.z = 2 %}
{% for i in numbers %}{{ i }},{% endfor %}
{% for i in [] %}x{% else %}empty{% endfor %}{% for i in missing %}x{% else %}undefined{% endfor %}{% for i in [1] %}x{% else %}y{% endfor %}
{% for c in 'a你😀' %}[{{ c }}]{% endfor %}{% for k in mixed %}{{ k }} {% endfor %}{% for k, v in mixed.items() %}{{ k }}={{ v }};{% endfor %}
{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for i in numbers if i > 1 %}{{ loop.index }}:{{ i }}/{{ loop.length }} {% endfor %}{% for i in numbers if i > 99 %}{% else %}none{% endfor %}
{% for i in numbers %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}
{% for i in numbers %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }} {% endfor %}
{% for i in numbers %}{% if loop.previtem is defined %}p{% endif %}{% if loop.nextitem is not defined %}n{% endif %}{% endfor %}
{% for i in numbers %}{{ loop.cycle('a', 'b', 'c') }}{% endfor %}{% for i in [1, 1, 2] %}{{ loop.changed(i) }}{% endfor %}
{% for i in [1, 2] %}{% set outer = loop %}{% for j in [1, 2] %}{{ outer.index }}{{ loop.index }} {% endfor %}{{ loop.index }};{% endfor %}
{% for i in [1, 2] %}{% for j in [3, 4] if j != loop.index %}{{ j }}{% endfor %}{% endfor %}
{% for i in numbers %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}{% for i in numbers %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}{% for i in [1] %}{% break %}{% else %}e{% endfor %}
{% for i in [1, 2] %}{% for j in [1, 2] %}{% if j == 2 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}
{% set v = 1 %}{% for i in [1, 2] %}{{ v }}{% set v = v + 1 %}{{ v }} {% endfor %}{{ v }}
{% set ns = namespace(v=0, l=[]) %}{% for i in numbers %}{% set ns.v = ns.v + i %}{% set ns.l = ns.l + [i] %}{% endfor %}{{ ns.v }} {{ ns.l }} {{ ns.q is defined }}
{% set ns = namespace() %}{% set ns._x = 1 %}
{% set ns = namespace(a=1) %}{{ ns.a }}{{ ns['a'] }}{{ ns }}
{% if n %}{% set inner = 1 %}{% endif %}{{ inner }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set a, b = b, a %}{{ a }}{{ b }}{% set (c, d) = [3, 4] %}{{ c }}{{ d }}{% set t = 1, 2 %}{{ t }}
{% set b %}x{{ n }}y{% endset %}{{ b }}{{ b|length }}{% set b | upper | trim %} q{% set z = 1 %} {% endset %}{{ b }}{{ z }}|
{% set b %}{% for i in [1, 2] %}{{ i }}{% endfor %}{% endset %}[{{ b }}]
{% filter upper %}a{{ name }}{% endfilter %}{% filter replace('a', 'b')|upper %}banana{% endfilter %}
{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}|{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}|{% with n = n + 1 %}{{ n }}{% endwith %}{{ n }}
{% generation %}a{{ n }}{% set q = 1 %}{% endgeneration %}{{ q }}|
{% macro f(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(1) }} {{ f(1, 3) }} {{ f(1, c=5) }} {{ f(c=1, a=2) }} {{ f() }} {{ f(1)|upper }} {{ f(1) ~ '!' }}
{% macro f(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}{{ f(1, 2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}
{% macro f(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, 3, k=4) }}{{ f() }}
{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}
{% macro f() %}{{ late }}{% endmacro %}{{ f() }}|{% set late = 1 %}{{ f() }}
{% macro f() %}{% set n = 100 %}{{ n }}{% endmacro %}{{ f() }}{{ n }}{{ f }}
{% for i in [1, 2] %}{% macro g() %}{{ i }}{% endmacro %}{{ g() }}{% endfor %}{{ g is defined }}
{% macro f() %}{% for i in [1, 2] %}{{ i }}{% endfor %}{% endmacro %}{% for j in [1] %}{{ f() }}{{ loop.index }}{% endfor %}
{% macro f() -%}  a  {%- endmacro %}[{{ f() }}]{{ f() is string }}{{ f is callable }}
{% macro outer(x) %}{% macro inner(y) %}{{ x }}{{ y }}{% endmacro %}{{ inner(2) }}{% endmacro %}{{ outer(1) }}{{ inner is defined }}
{{ later() }}{% macro later() %}{% endmacro %}
{% call f() %}{% endcall %}
a\n{% if n %}\nb\n{% endif %}\nc
a\n  {% if n %}  \n  b\n  {% endif %}  \nc\n
  {% if n %}x{% endif %}\n  {{ n }}\n  {# c #}\n  y
a  {%- if n -%}  b  {%- endif -%}  c
a\n\n{{- n -}}\n\nb
a {{- n }} {{ n -}} b
  {%+ if n %}x{% endif +%}\ny
{% if n +%}\nx{% endif %}\n
a\n{# c #}\nb{#- c -#}  \n d {# c +#}\ne
a{# {{ x }} {% if %} #}b{##}c{#-#}  d
{% raw %}{{ n }}{% if %}{# x #}{% endraw %}{{ n }}
a\n  {% raw %}\n  x {{\n  {% endraw %}\nb{%- raw -%}  y  {%- endraw -%}  z
line\r\nwith{{ n }}\r\n{% if n %}\r\nx{% endif %}\r\ry
a\n
a\n\n
\n
{{ 'a\nb' }}\n{{ n }}\n
{%- for m in messages -%}\n  {{ m.role }}: {{ m.content }}\n{%- endfor %}
{% for m in messages %}\n{{ '<|' ~ m.role ~ '|>' }}\n{% if not loop.last %}\n--\n{% endif %}\n{% endfor %}\nend
\t {% set q = 1 %} \n \t {{ q }}
x {% set q = 1 %}\ny\n   {%- set q = 2 %}\nz{{ q }}
{{ '}}' }}{{ '{%' }}{{ "#}" }} { { } } {x} %} }} #}
{{ {'a': {'b': 1}} }}{{ {'a': {}}['a'] }}{{{}}}
{%if n%}a{%endif%}{%-if n-%}b{%-endif-%}{{n}}{{-n-}}
{% set x = {'a': [1, {'b': (2, 3)}]} %}{{ x.a[1].b[-1] }}{{ x['a'][1]['b'][0] }}
{{ messages|map(attribute='role')|join(',')|upper|replace('USER', 'U') }}
{{ bos_token }}{% for message in messages %}{{ '[' + message['role'] + '] ' + message['content']|trim + eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}
{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% endif %}{% for m in loop_messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate') }}{% endif %}{{ m.content }}{% endfor %}{{ system_message }}
{% for tc in messages[2].tool_calls %}{{ tc.name }}({% for k, v in tc.arguments.items() %}{{ k }}={{ v|tojson if v is not string else v }}{{ ', ' if not loop.last }}{% endfor %}){% endfor %}
{{ (messages|selectattr('role', 'equalto', 'user')|list)[-1].content }} {{ messages[-1]['content'].split('y')[0] }}
{% set content = messages[1].content %}{% if content is string %}{{ content }}{% elif content is iterable %}{% for c in content %}{{ c.text }}{% endfor %}{% endif %}
{{ 'a' if false else '' ~ 'b' }} {{ [1, 2][0] if true }} {{ ('a' ~ 'b')|upper }} {{ 'a' ~ 'b'|upper }} {{ 1 + 2|string|length }}
{{ numbers[0:2]|join(',') }} {{ (numbers|first) + 1 }} {{ numbers|first + 1 }} {{ 'ab'|upper ~ 'c' }} {{ n|string ~ n }} {{ [n, x]|map('int')|sum }}
{{ True }} {{ False }} {{ None }} {{ true }} {{ none is none }}
{{ 9223372036854775807 }} {{ -9223372036854775807 }} {{ 3000000000 * 3 }}
{{ loop }}|{{ loop is defined }}
{{ range }}
{{ nested|string }} {{ messages[2] }}
{{ 0.1 + 0.2 }} {{ 1/3 }} {{ 1e100 }} {{ 12345.678 }} {{ 1e-5 }} {{ -0.0 }} {{ 2.0 ** 0.0 }} {{ 5.0 }} {{ 1.0e15 }} {{ 9999999999999998.0 }}
{{ missing + 1 }}
{{ 1 + missing }}
{{ missing ~ 'a' }} {{ missing == '' }} {{ missing|length }} {{ [missing] }} {{ missing in [1] }} {{ not missing }}
{{ missing['a'] }}
{{ missing[0] }}
{{ missing[1:] }}
{{ none[1:] }}|
{{ empty_map.a.b }}
{{ f(*[1]) }}
{{ name|upper() }} {{ name|default() }} {{ name.upper }}|x
{{ name|upper(1) }}
{{ name|replace('a') }}
{{ name|join(1, 2, 3) }}
{{ name|default(1, 2, 3) }}
{{ [3, 1]|sort(foo=1) }}
{{ 'x' is string string }}
{{ 'x' is is }}
{{ not }}
{{ 1 == }}
{{ .a }}
{{ a|  }}
{{ f(a=1, 2) }}
{% for i in numbers recursive %}{% endfor %}x
{{ lines.split('\n')|map('trim')|join('/') }} {{ lines|replace('\n', '\\n') }}
{% set s = '' %}{% for m in messages %}{% set s = s ~ m.role %}{% endfor %}[{{ s }}]
{{ messages|length - 1 }} {{ messages|length > 3 }} {{ loop.x is defined if loop is defined else 'no loop' }}
{{ '你好'.encode }}|
{{ "\N{BULLET}" }}
""".strip("\n").split("\n")

# Those where jinja2 and the engine part on purpose: never tested for equality.
SKIP = {'{{ "\\N{BULLET}" }}', "{{ '你好'.encode }}|", "{{ name|upper() }} {{ name|default() }} {{ name.upper }}|x", "{{ 'a'.nope }}|", "{{ range }}", "{% for i in numbers recursive %}{% endfor %}x"}


class Generation(jinja2.ext.Extension):
    """`{% generation %}` passes its body through."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_pass"), [], [], body).set_lineno(line)

    def _pass(self, caller):
        return caller()


class SafeNamespace(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        for name in dict(*args, **kwargs):
            SafeNamespace.check(name)
        jinja2.utils.Namespace.__init__(self, *args, **kwargs)

    def __setitem__(self, name, value):
        SafeNamespace.check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    def check(name):
        if name.startswith("_"):
            raise jinja2.exceptions.SecurityError(name)


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    env.filters["tojson"] = tojson
    env.globals |= {"raise_exception": raise_exception, "strftime_now": NOW.strftime, "namespace": SafeNamespace}
    return env


def main():
    env = environment()
    root = pathlib.Path(__file__).resolve().parent.parent
    output = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "Tests/TinyTemplateTests/Fixtures/snippets.json"
    cases = []
    for line in ONE_LINERS:
        # Line breaks of the template's own are written \n; those inside a string literal stay escapes.
        outside = "{" not in line.split("\\n")[0] or line.startswith(("{%", " ", "\\t", "x ", "a", "line")) or line.endswith("\\n")
        source = line.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t") if outside and "'" not in line.split("\\n")[0] else line
        if line in SKIP:
            continue
        try:
            expected = env.from_string(source).render(**VALUES)
        except Exception as error:
            expected = None
        cases.append([source, expected])
    fixture = {
        "about": f"templates and what jinja2 {jinja2.__version__} renders them to (null: it raises), by scripts/make_template_fixtures.py",
        "now": [NOW.year, NOW.month, NOW.day, NOW.hour, NOW.minute, NOW.second], "values": VALUES, "cases": cases,
    }
    text = json.dumps(fixture, ensure_ascii=True)
    text = text.replace('], ["', '],\n["').replace('"cases": [', '"cases": [\n')
    json.loads(text)
    output.write_text(text + "\n")
    print(len(cases), "snippets,", sum(1 for case in cases if case[1] is None), "errors,", len(text), "bytes")


if __name__ == "__main__":
    main()
