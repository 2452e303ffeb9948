#!/usr/bin/env python3
"""Attacks the template engine: known server-side injections, endless loops, deep nesting, huge strings and lists.

    scripts/attack_templates.py --tinygpt .build/release/tinygpt      runs each in the command, and measures
    scripts/attack_templates.py --write                               writes the fixture of the Swift tests

An injection must be refused, or render to what a sandbox may show of it. Everything else must be refused. Measured are
seconds and memory of the whole process; --seconds and --megabytes are what it may take. Ends with status 1 if an attack
succeeds or takes more.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIXTURE = ROOT / "Tests/TinyTemplateTests/Fixtures/attacks.json"
MESSAGES = [{"role": "user", "content": "Hi"}]

# Where an injection starts, and how it goes on.
STARTS = ["''", "[]", "()", "{}", "1", "1.5", "true", "none", "bos_token", "messages", "messages[0]", "messages[0].items",
          "messages[0].content", "self", "request", "config", "cycler", "joiner", "namespace", "namespace(a=1)", "lipsum", "range",
          "dict", "g", "session", "url_for", "get_flashed_messages", "app", "raise_exception", "strftime_now", "''.format",
          "[].append", "nowhere", "(x for x in [])", "lambda: 0"]
CHAINS = [".__class__", ".__class__.__mro__[1].__subclasses__()", ".__class__.__base__.__subclasses__()[132]('id')",
          ".__init__.__globals__", ".__globals__['os'].popen('id').read()", ".__globals__.__builtins__.open('/etc/passwd').read()",
          ".__class__.__init__.__globals__['__builtins__']['eval'](\"__import__('os').system('id')\")",
          "['__class__']['__mro__'][-1]['__subclasses__']()", "|attr('__class__')|attr('__mro__')|last",
          "|attr('__class__')|attr('__base__')|attr('__subclasses__')()", "['\\x5f\\x5fclass\\x5f\\x5f'].mro()",
          "|attr('\\u005f\\u005fclass\\u005f\\u005f')|attr('mro')()", "|attr(['_'*2,'class','_'*2]|join)|string",
          "._TemplateReference__context", ".__dict__", ".__reduce_ex__(2)", ".__getattribute__('__class__')",
          ".__doc__", ".func_globals", ".__self__.__class__", ".im_func"]
INJECTIONS = r"""
{{ 7*7 }}
{{ 7*'7' }}
${7*7}
<%= 7*7 %>
#{7*7}
*{7*7}
@(7*7)
{php}echo `id`;{/php}
{{constructor.constructor('return process')()}}
{{$on.constructor('alert(1)')()}}
{{_self.env.registerUndefinedFilterCallback('exec')}}{{_self.env.getFilter('id')}}
{{['id']|filter('system')}}
{{['cat /etc/passwd']|map('passthru')|list}}
{{ [1]|map(attribute='__class__')|list }}
{{ [1]|map(attribute='__class__.__mro__')|first }}
{{ 'abc'|map('attr', '__class__')|list }}
{{ messages|selectattr('__class__')|list|length }}
{{ messages|rejectattr('__class__.__name__', 'equalto', 'dict')|list|length }}
{{ messages|sort(attribute='__class__') }}
{{ messages|groupby('__class__') }}
{{ messages|sum(attribute='__class__') }}
{{ messages|join(attribute='__class__') }}
{{ messages|unique(attribute='__class__')|list|length }}
{{ messages|max(attribute='__class__') }}
{{ '{0.__class__}'.format(1) }}
{{ '{0.__class__.__mro__}'.format('') }}
{{ '{0.__init__.__globals__}'.format(cycler) }}
{{ '{x.__class__}'.format(x=1) }}
{{ '{0[__class__]}'.format({}) }}
{{ '{a.__class__}'.format_map({'a': 1}) }}
{{ ''.format.__globals__ }}
{{ 'a'.format.__self__.__class__ }}
{% set f = '{0.__class__}'.format %}{{ f(1) }}
{{ '%s' % ''.__class__ }}
{{ '%(a)s' % {'a': ''.__class__} }}
{{ ('{0.__cl' ~ 'ass__}').format(1) }}
{{ '{0.__class__}'|format(1) }}
{{ '{0!r:>{1}}'.format('a', 1000000000) }}
{{ '{:1000000000}'.format('a') }}
{{ '%1000000000s' % 'a' }}
{{ '%*d' % (1000000000, 1) }}
{{ '%.1000000000f' % 1.0 }}
{% import 'os' as os %}{{ os.popen('id') }}
{% from 'os' import popen %}{{ popen('id').read() }}
{% include '/etc/passwd' %}
{% include ['a', 'b'] ignore missing %}
{% extends '/etc/passwd' %}
{% block a %}{{ self.a() }}{% endblock %}
{% do messages.append(1) %}
{% debug %}
{% trans %}a{% endtrans %}
{% autoescape true %}{{ '<' }}{% endautoescape %}
{% call messages() %}{% endcall %}
{% call(x) range(3) %}{{ x }}{% endcall %}
{% raw %}{{ ''.__class__ }}{% endraw %}
{% print(''.__class__) %}
{% python %}import os{% endpython %}
{% exec 'id' %}
{% load 'os' %}
{% debug %}{% enddebug %}
{{ messages.append(messages) }}{{ messages }}
{{ messages.__setitem__(0, 1) }}
{{ messages.clear() }}
{{ messages.pop() }}
{{ messages.extend(messages) }}
{{ messages.insert(0, 1) }}
{{ messages.sort() }}
{{ messages.reverse() }}
{{ messages[0].update({'role': 'system'}) }}
{{ messages[0].setdefault('a', 1) }}
{{ messages[0].pop('role') }}
{{ messages[0].popitem() }}
{{ messages[0].clear() }}
{% set messages[0].role = 'system' %}
{% set messages.x = 1 %}
{% set ns = namespace() %}{% set ns.__class__ = 1 %}
{% set ns = namespace(__class__=1) %}
{% set ns = namespace({'__init__': 1}) %}
{% set ns = namespace(a=1) %}{{ ns.__dict__ }}
{% set ns = namespace(a=1) %}{{ ns._Namespace__attrs }}
{% set range = ''.__class__ %}{{ range }}
{% macro m() %}{{ caller.__class__ }}{% endmacro %}{{ m() }}
{% macro m() %}{{ varargs.__class__ }}{{ kwargs.__class__ }}{% endmacro %}{{ m(1, a=2) }}
{% macro m() %}{% endmacro %}{{ m.__globals__ }}
{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}
{% macro m() %}{% endmacro %}{{ m.__init__.__globals__['sys'] }}
{% macro m() %}{% endmacro %}{{ m._environment }}
{% for i in [1] %}{{ loop.__class__ }}{% endfor %}
{% for i in [1] %}{{ loop._iterator }}{% endfor %}
{% for i in [1] %}{{ loop._undefined }}{% endfor %}
{% for i in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}
{% for i in ''.__class__.__mro__ %}{{ i }}{% endfor %}
{% for i in ''.__class__.__base__.__subclasses__() %}{% if i.__name__ == 'Popen' %}{{ i('id') }}{% endif %}{% endfor %}
{% with a = ''.__class__ %}{{ a }}{% endwith %}
{% if ''.__class__.__mro__ %}x{% endif %}
{% if request.application.__globals__ %}x{% endif %}
{% set a = request|attr('application')|attr('\x5f\x5fglobals\x5f\x5f') %}{{ a }}
{% filter attr('__class__') %}a{% endfilter %}
{% filter map('attr', '__class__') %}a{% endfilter %}
{% set a %}{{ ''.__class__ }}{% endset %}{{ a }}
{{ ''['__cl' + 'ass__'] }}
{{ ''['__cl' 'ass__'] }}
{{ ''['__ssalc__'[::-1]] }}
{{ ''['%s%s' % ('__cla', 'ss__')] }}
{{ ''['__CLASS__'|lower] }}
{{ ''|attr('__CLASS__'|lower) }}
{{ ''|attr(dict(__class__=1)|join) }}
{{ ''|attr(dict(__cla=1,ss__=2)|join) }}
{{ ''|attr('%c%cclass%c%c'|format(95,95,95,95)) }}
{{ ''|attr('5f5f636c617373'.encode()) }}
{{ ()|select|string|list }}
{{ (()|select|string|list)[24] }}
{{ lipsum|string|list }}
{{ (lipsum|string)[18] }}
{{ config.items() }}
{{ config.from_object('os') }}
{{ config['SECRET_KEY'] }}
{{ request.environ['werkzeug.server.shutdown']() }}
{{ request.args.x|attr(request.args.y) }}
{{ url_for.__globals__.current_app.config }}
{{ get_flashed_messages.__globals__['current_app'].config }}
{{ g.pop.__globals__.__builtins__.__import__('os').popen('id').read() }}
{{ self._TemplateReference__context.cycler.__init__.__globals__.os.popen('id').read() }}
{{ self.__init__.__globals__.__builtins__.__import__('os').popen('id').read() }}
{{ cycler.__init__.__globals__.os.popen('id').read() }}
{{ joiner.__init__.__globals__.os.popen('id').read() }}
{{ namespace.__init__.__globals__.os.popen('id').read() }}
{{ lipsum.__globals__['os'].popen('id').read() }}
{{ lipsum.__globals__.__builtins__.eval('1') }}
{{ dict.__base__.__subclasses__() }}
{{ dict.fromkeys.__self__.__class__ }}
{{ dict.__class__.__mro__ }}
{{ range.__class__('x') }}
{{ range(1).__class__ }}
{{ strftime_now.__self__.__class__.__base__ }}
{{ strftime_now('%Y').__class__ }}
{{ raise_exception.__globals__ }}
{{ raise_exception.__code__.co_consts }}
{{ raise_exception.__closure__ }}
{{ messages|tojson.__class__ }}
{{ messages|attr('append')(1) }}
{{ messages|attr('__getitem__')(0) }}
{{ messages|map('attr', 'pop')|list }}
{{ ''.join.__self__ }}
{{ ''.encode().decode() }}
{{ ''.encode('utf-8').__class__ }}
{{ 'a'.translate({97: '__class__'}) }}
{{ ''.maketrans('a', 'b') }}
{{ (1).__class__ }}
{{ 1.0.hex() }}
{{ 1.0.fromhex('0x1') }}
{{ (1).to_bytes(2) }}
{{ true.__class__.__bases__ }}
{{ none.__class__ }}
{{ undefined_thing.__class__ }}
{{ undefined_thing.__init__.__globals__ }}
{{ undefined_thing._undefined_exception }}
{{ undefined_thing._fail_with_undefined_error }}
{{ missing|attr('_undefined_hint') }}
{{ ''|pprint }}
{{ ''|xmlattr }}
{{ ''|random }}
{{ ''|urlize }}
{{ ''|from_json }}
{{ ''|eval }}
{{ ''|exec }}
{{ ''|system }}
{{ ''|__class__ }}
{{ '' is __class__ }}
{{ '' is callable }}
{{ ''.__class__ is defined }}
{{ __import__('os').popen('id').read() }}
{{ open('/etc/passwd').read() }}
{{ eval('1') }}
{{ exec('1') }}
{{ getattr('', '__class__') }}
{{ type('') }}
{{ globals() }}
{{ locals() }}
{{ vars() }}
{{ dir() }}
{{ print('x') }}
{{ __builtins__ }}
{{ __name__ }}
{{ __file__ }}
{{ environment }}
{{ context }}
{{ context.environment }}
{{ environ }}
{{ os }}
{{ sys.modules }}
{{ super() }}
{{ self }}
{{ caller() }}
{{ x.y.z() }}
{{ [].__class__.__base__.__subclasses__()[40]('/etc/passwd').read() }}
{{ ().__class__.__bases__[0].__subclasses__() }}
{{ {}.__class__.__mro__[-1] }}
{{ [c for c in ().__class__.__base__.__subclasses__()] }}
{{ (lambda: ''.__class__)() }}
{{ `id` }}
{{ 1 if ''.__class__ else 2 }}
{{ not ''.__class__ }}
{{ ''.__class__ ~ '' }}
{{ ''.__class__ == 1 }}
{{ 1 in ''.__class__ }}
{{ [''.__class__] }}
{{ {'a': ''.__class__} }}
{{ ''.__class__|default('x') }}
{{ ''.__class__|tojson }}
{{ ''.__class__|string }}
{{ ''.__class__|list }}
{{ -(''.__class__) }}
{{ ''.__class__[0] }}
{{ ''.__class__() }}
{{ range(*[1, 2]) }}
{{ dict(**{'a': 1}) }}
{{ "\N{LATIN SMALL LETTER A}" }}
{{ "\ud800" }}
{{ "\U00110000" }}
{{ '\x' }}
{{ "\u00" }}
""".strip().split("\n")


def blow_ups():
    """Attacks on time and memory, as pairs of a text and how often it is repeated."""
    many = 100_000
    nested = [("(", "1", ")"), ("[", "", "]"), ("{1:", "1", "}"), ("-", "1", ""), ("+", "1", ""), ("not ", "1", ""), ("f(", "1", ")"),
              ("x[", "1", "]"), ("[x,", "1", "]"), ("(1,", "1", ")"), ("1 if ", "1", " else 1"), ("1 if 1 else ", "1", ""), ("x|d(", "1", ")"),
              ("x is eq(", "1", ")"), ("range(", "1", ")"), ("dict(a=", "1", ")"), ("namespace(a=", "1", ")"), ("x[1:", "1", "]"), ("1 ~ (", "1", ")"),
              ("1 in [", "1", "]")]
    for left, middle, right in nested:
        for count in (120, 1_000, many):
            yield [["{{ ", 1], [left, count], [middle, 1], [right, count], [" }}", 1]]
    for link in (" + 1", " - 1", " * 1", " ** 1", " // 1", " % 1", " and 1", " or 1", " if 1", " if 1 else 1", "|trim", "|d(1)", ".a", "[1]",
                 "[1:]", "(1)", "|list|first", " is not none and 1"):
        for count in (1_000, many):
            yield [["{{ 1", 1], [link, count], [" }}", 1]]
    for tag in ("{% if 1 %}", "{% for i in [1] %}", "{% macro f() %}", "{% set x %}", "{% filter trim %}", "{% with a = 1 %}", "{% generation %}",
                "{% if 1 %}{% else %}", "{% raw %}"):
        for count in (150, many):
            yield [[tag, count]]
    for opening, count in (("{{", many), ("{%", many), ("{#", many), ("{{ '", many), ("{{ \"\\", many), ("{{ [", many), ("{% if", many), ("{%- ", many),
                           ("{% raw %}{%", many), ("{{ 1.", many), ("{{ a.", many), ("}}{{", many), ("{{}}", many), ("{{ 'a' ", many)):
        yield [[opening, count]]
    yield [["{{ '", 1], ["\\x", many], ["' }}", 1]]
    yield [["{{ ", 1], ["9", many], [" }}", 1]]
    yield [["{{ 0x", 1], ["f", many], [" }}", 1]]
    yield [["{{ 1e", 1], ["9", 20], ["|int }}", 1]]
    yield [["{{ ", 1], ["x", many], [".y }}", 1]]
    yield [["{% set ", 1], ["(", many], ["a", 1], [")", many], [" = 1 %}", 1]]
    yield [["{% for ", 1], ["(", many], ["a", 1], [")", many], [" in [1] %}{% endfor %}", 1]]
    yield [["{% macro f(", 1], ["a=f(", many], [")", many], [") %}{% endmacro %}", 1]]
    yield [["a", 5_000_000]]
    yield [["{{ 1 }}", 1_000_000]]
    yield [["{#", 1], [" ", 5_000_000], ["#}", 1]]
    yield [["\n", 5_000_000], ["{{ x.y.z }}", 1]]
    # One huge value.
    for text in ("'a' * 10**9", "'a' * 9223372036854775807", "'aa' * 9223372036854775807", "[0] * 10**9", "(1,) * 10**10", "10**9 * 'ab'",
                 "range(10**12)|list", "range(10**6)|list|length", "range(-(10**18), 10**18)|length", "range(10**12)|join", "range(100001)",
                 "10**100", "2**64", "9**9**9", "2**63", "-(2**62) * 4", "9223372036854775807 + 1", "99999999999999999999", "1e300|int",
                 "10.0**400", "('9' * 400)|int", "(-1) ** 0.5", "1 / 0", "1 // 0", "1 % 0", "1.0 % 0", "0 ** -1",
                 "'a'|center(10**9)"):
        yield [["{{ " + text + " }}", 1]]
    for width in (10**7, 10**9, 10**12, 2**63 - 1):
        for method in ("center", "ljust", "rjust", "zfill"):
            yield [["{{ 'a'." + method + f"({width})" + "|length }}", 1]]
        yield [["{{ '\\t'.expandtabs(%d)|length }}" % width, 1]]
        yield [["{{ 'a\\nb'|indent(%d) }}" % width, 1]]
        yield [["{{ 'a\\nb'|indent(%d, true, true) }}" % width, 1]]
        yield [["{{ [1]|tojson(indent=%d) }}" % width, 1]]
        yield [["{{ {'a': {'b': 1}}|tojson(indent=%d) }}" % width, 1]]
        yield [["{{ '%%%ds' %% 1 }}" % width, 1]]
        yield [["{{ '%%.%df' %% 1 }}" % width, 1]]
        yield [["{{ '%%%dd'|format(1) }}" % width, 1]]
    # A value that doubles.
    doubling = ["ns.s ~ ns.s", "ns.s + ns.s", "ns.s * 2", "[ns.s, ns.s]|join", "ns.s|replace('a', 'aa')", "ns.s.replace('a', 'aa')", "ns.s|replace('', 'a')",
                "'%s%s' % (ns.s, ns.s)", "'{0}{0}'.format(ns.s)", "'%s%s'|format(ns.s, ns.s)", "ns.s.join(['a', ns.s])", "ns.s|upper ~ ns.s|lower",
                "(ns.s ~ '\\n') * 2|int", "ns.s|string * 2", "(ns.s|list + ns.s|list)|join", "ns.s.join(ns.s)", "ns.s|join(ns.s)", "ns.s|e ~ ns.s",
                "ns.s.ljust(ns.s|length * 2)", "ns.s|tojson * 2", "ns.s.replace('a', ns.s)", "ns.s|replace('a', ns.s)", "(ns.s ~ ns.s)|indent(8, true)",
                "ns.s|map('upper')|join ~ ns.s", "(ns.s ~ ns.s)[::-1]", "(ns.s, ns.s)|join|trim", "ns.s.center(ns.s|length * 2)"]
    for step in doubling:
        yield [["{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(200) %}{% set ns.s = " + step + " %}{% endfor %}{{ ns.s|length }}", 1]]
    for start, step in (("[1]", "ns.s + ns.s"), ("[1]", "[ns.s, ns.s]"), ("[1]", "ns.s * 2"), ("(1,)", "(ns.s, ns.s)"), ("[1]", "(ns.s + ns.s)|list"),
                        ("[1]", "(ns.s + ns.s)|sort"), ("[1]", "(ns.s + ns.s)[::-1]"), ("{}", "{'a': ns.s, 'b': ns.s}"), ("{}", "dict(a=ns.s, b=ns.s)"),
                        ("[1]", "[ns.s]|list + ns.s"), ("[1]", "ns.s|map('string')|list + ns.s"), ("[1]", "(ns.s + ns.s)|select|list")):
        for end in ("ns.s|string|length", "ns.s|tojson|length", "ns.s == ns.s", "[ns.s]|unique|list|length", "ns.s|e"):
            yield [["{% set ns = namespace(s=" + start + ") %}{% for i in range(300) %}{% set ns.s = " + step + " %}{% endfor %}{{ " + end + " }}", 1]]
    for step in ("[ns.s]", "{'a': ns.s}", "(ns.s,)", "ns.s.count", "[[[ns.s]]]", "dict(a=[ns.s])", "namespace(a=ns.s)", "[ns.s.a, ns.s]"):
        yield [["{% set ns = namespace(s=[1]) %}{% for i in range(100000) %}{% set ns.s = " + step + " %}{% endfor %}{{ ns.s }}{{ ns.s.x.y }}", 1]]
    for function in ("f()", "f() ~ f()", "[f()]", "f()|trim", "f(f())", "g()"):
        yield [["{% macro g() %}{{ f() }}{% endmacro %}{% macro f(a) %}{{ " + function + " }}{% endmacro %}{{ f() }}", 1]]
    yield [["{% macro f(a=f()) %}{% endmacro %}{{ f() }}", 1]]
    yield [["{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}", 1]]
    yield [["{% macro f(n) %}{% for i in range(9) %}{{ f(n + 1) }}{% endfor %}{% endmacro %}{{ f(0) }}", 1]]
    yield [["{% macro f() %}{% set x %}{{ f() }}{% endset %}{% endmacro %}{{ f() }}", 1]]
    yield [["{% macro f() %}{% filter upper %}{{ f() }}{% endfilter %}{% endmacro %}{{ f() }}", 1]]
    yield [["{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}", 1]]
    yield [["{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns }}", 1]]
    yield [["{% set ns = namespace() %}{% set ns.a = [ns] %}{{ [ns, ns.a]|string }}", 1]]
    # Much work again and again.
    for work in ("{% for b in range(100000) %}{% endfor %}", "{{ range(100000)|list|length }}", "{{ s|trim|length }}", "{{ s|reverse|length }}", "{{ s|upper|length }}",
                 "{{ s|length }}{{ s.split('a')|length }}", "{{ s.find('b') }}", "{{ s.count('aab') }}", "{{ s.replace('b', 'c')|length }}", "{{ s == t }}", "{{ s < t }}", "{{ 'b' in s }}",
                 "{{ s[1:]|length }}", "{{ s[::-1]|length }}", "{{ s|list|length }}", "{{ s|tojson|length }}", "{{ s|e|length }}", "{{ s|wordcount }}", "{{ s|title|length }}",
                 "{{ s|indent|length }}", "{{ s.splitlines()|length }}", "{{ s.strip('b')|length }}", "{{ s.partition('b')|length }}", "{{ s.rfind('b') }}", "{{ s.isalpha() }}",
                 "{{ s.startswith(t) }}", "{{ s.endswith('b') }}", "{{ s.lower()|length }}", "{{ s.title()|length }}", "{{ s.islower() }}", "{{ s is lower }}",
                 "{{ l|sort|length }}", "{{ l|sort(reverse=true)|first }}", "{{ l|unique|list|length }}", "{{ l|sum }}", "{{ l|max }}", "{{ l|min }}", "{{ l|join|length }}",
                 "{{ l|map('string')|list|length }}", "{{ l|select('odd')|list|length }}", "{{ 5.5 in l }}", "{{ l == l + [1] }}", "{{ l|tojson|length }}", "{{ l|string|length }}",
                 "{{ l[::-1]|length }}", "{{ l.index(99999) }}", "{{ l.count(5) }}", "{{ l|last }}", "{{ l|list|length }}", "{{ l|reverse|list|length }}", "{{ (l + l)|length }}",
                 "{% for x in l %}{{ loop.changed(l) }}{% endfor %}", "{% for x in l if x in l %}{% endfor %}", "{% set x = [l, l, l] %}", "{{ d|dictsort|length }}",
                 "{{ d.items()|list|length }}", "{{ d|length }}{{ d.keys()|list|length }}", "{{ d == d }}", "{{ d|tojson|length }}", "{{ d|string|length }}", "{{ dict(d)|length }}",
                 "{{ dict(d, a=1)|length }}", "{{ namespace(d) is defined }}", "{{ '%s' % s }}", "{{ '{}'.format(s) }}", "{{ strftime_now(s)|length }}", "{{ ('%Y' * 100000)|length }}"):
        yield [["{% set s = 'a' * 500000 %}{% set t = 'a' * 499999 ~ 'b' %}{% set l = range(20000)|list %}{% set d = dict(l|map('string')|map('list')|map('batch')) if false else {'a': 'x' * 100000, 'b': l} %}"
                "{% for a in range(100000) %}" + work + "{% endfor %}", 1]]
    yield [["{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}", 1]]
    yield [["{% for a in range(99999) %}", 20], ["x", 1], ["{% endfor %}", 20]]
    yield [["{% for a in range(99999) %}{{ 'x' * 99999 }}{% endfor %}", 1]]
    yield [["{% for a in range(99999) %}{% set x %}{% for b in range(999) %}y{% endfor %}{% endset %}{% endfor %}", 1]]
    yield [["{% set ns = namespace(l=[]) %}{% for a in range(99999) %}{% set ns.l = ns.l + ['x' * 9999] %}{% endfor %}", 1]]
    yield [["{% set ns = namespace(d={}) %}{% for a in range(99999) %}{% set ns.d = dict(ns.d, **{a: 1}) %}{% endfor %}", 1]]
    yield [["{% for a in range(99999) %}{% set x = namespace(a=range(999)|list) %}{% endfor %}{% for a in range(99999) %}{% set x = namespace(a=range(999)|list) %}{% endfor %}", 1]]
    yield [["{% for a in range(99999) %}{% macro m() %}{{ 'x' * 100 }}{% endmacro %}{{ m() * 99 }}{% endfor %}", 1]]
    yield [["{% for a in range(9999) %}{% for b in range(a) %}{{ loop.changed(range(a)|list) }}{% endfor %}{% endfor %}", 1]]
    yield [["{{ raise_exception('a' * 10000000) }}", 1]]
    yield [["{{ raise_exception(range(100000)|list) }}", 1]]


def attacks():
    """Each attack in pieces, and whether it is an injection (which may render to something harmless)."""
    for start in STARTS:
        for chain in CHAINS:
            yield [["{{ " + start + chain + " }}", 1]], True
    for text in INJECTIONS:
        yield [[text, 1]], True
    for pieces in blow_ups():
        yield pieces, False


# What would have to be in a text that came from somewhere else.
LOOT = ("<class", "<function", "<module", "<built-in", "<bound", " object at 0x", "uid=", "root:", "Popen", "SECRET", "<TemplateReference",
        "<Undefined", "environ")


def succeeded(source, text, injection):
    """Why an attack that was not refused is one that succeeded; None if it is not."""
    if not injection:
        return "it was not stopped"
    loot = [word for word in LOOT if word in text and word not in source]
    return f"it shows {loot[0]!r}" if loot else None


def measure(tinygpt, source, folder):
    """Text or None, complaint, seconds and megabytes."""
    template, messages = folder / "attack.jinja", folder / "messages.json"
    template.write_text(source, encoding="utf-8")
    start = time.monotonic()
    with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
        process = subprocess.Popen([tinygpt, "chat-template", "--template-file", template, "--messages", messages],
                                   stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    processor = usage.ru_utime + usage.ru_stime
    memory = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    complaint = (folder / "err").read_text(encoding="utf-8", errors="replace")
    text = (folder / "out").read_text(encoding="utf-8") if process.returncode == 0 else None
    return text, process.returncode, complaint, min(seconds, processor), memory


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--tinygpt")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--seconds", type=float, default=0.2, help="of one core")
    parser.add_argument("--megabytes", type=float, default=64)
    options = parser.parse_args()
    every = list(attacks())
    if options.write:
        fixture = {"about": "attacks on the template engine, by scripts/attack_templates.py: injections are every start with "
                            "every chain, and others; blow-ups are texts in pieces, with how often each is repeated",
                   "loot": LOOT, "starts": STARTS, "chains": CHAINS, "injections": INJECTIONS, "blow_ups": list(blow_ups())}
        text = ",\n".join(json.dumps(name) + ": " + ("[\n" + ",\n".join(json.dumps(item) for item in value) + "\n]"
                                                    if isinstance(value, list) else json.dumps(value))
                         for name, value in fixture.items())
        FIXTURE.write_text("{" + text + "}\n", encoding="utf-8")
        return print(f"{len(every)} attacks, {FIXTURE.stat().st_size} bytes")
    if not options.tinygpt:
        parser.error("give --tinygpt PATH or --write")
    bad = refused = 0
    slowest, largest = (0, ""), (0, "")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "messages.json").write_text(json.dumps(MESSAGES))
        for pieces, injection in every:
            source = "".join(text * count for text, count in pieces)
            text, code, complaint, seconds, memory = measure(options.tinygpt, source, folder)
            title = f"{source[:100]!r}{'…' if len(source) > 100 else ''}"
            problem = None
            if text is None:
                refused += 1
                if code != 1 or "line " not in complaint:
                    problem = f"status {code}, {complaint[:200]!r}"
            else:
                problem = succeeded(source, text, injection)
            if problem is None and (seconds > options.seconds or memory > options.megabytes):
                problem = "it takes too much"
            if problem:
                bad += 1
                print(f"{title}: {problem} ({seconds:.3f} s, {memory:.1f} MB)")
            slowest, largest = max(slowest, (seconds, title)), max(largest, (memory, title))
    print(f"{len(every)} attacks: {refused} refused, {len(every) - refused} rendered, {bad} bad")
    print(f"slowest: {slowest[0]:.3f} s, {slowest[1]}\nlargest: {largest[0]:.1f} MB, {largest[1]}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
