import Testing
import TinyTemplate

private func failure(
    _ source: String, _ values: [(String, TemplateValue)] = [], limits: TemplateLimits = TemplateLimits()
) -> TemplateError? {
    do throws(TemplateError) {
        _ = try Template(source, limits: limits).render(values)
        return nil
    } catch {
        return error
    }
}

private func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

/// Hostile templates end in an error that names the limit: no trap, no full memory, no long wait.
@Test(arguments: [
    "{{ " + repeated("(", 10_000) + "1" + repeated(")", 10_000) + " }}",
    "{{ " + repeated("[", 10_000) + repeated("]", 10_000) + " }}",
    "{{ " + repeated("{1:", 10_000) + repeated("}", 10_000) + " }}",
    "{{ " + repeated("-", 10_000) + "1 }}", "{{ " + repeated("not ", 10_000) + "1 }}",
    "{{ 1" + repeated(" + 1", 10_000) + " }}", "{{ x" + repeated("|trim", 10_000) + " }}",
    "{{ x" + repeated(".a", 10_000) + " }}",
    "{{ x" + repeated("(1)", 10_000) + " }}", "{{ 1" + repeated(" if 1", 10_000) + " }}",
    "{{ 1" + repeated(" and 1", 10_000) + " }}",
    "{{ 1" + repeated(" if 1 else 1", 10_000) + " }}", "{{ 1" + repeated(" ** 1", 10_000) + " }}",
    repeated("{% if 1 %}", 10_000), repeated("{% for i in [1] %}", 10_000), repeated("{% macro f() %}", 10_000),
    "{{ x is divisibleby" + repeated("[", 10_000) + repeated("]", 10_000) + " }}",
    "{% set " + repeated("(", 10_000) + "a" + repeated(")", 10_000) + " = 1 %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{% macro f(a=f()) %}{% endmacro %}{{ f() }}",
    "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(100) %}{% set ns.s = ns.s|replace('a', ns.s) %}{% endfor %}",
    "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    "{% set ns = namespace(s=[1]) %}{% for i in range(100000) %}{% set ns.s = [ns.s] %}{% endfor %}",
    "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
    "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson }}",
    "{% set ns = namespace(s=(1,), t=(1,)) %}{% for i in range(100) %}{% set ns.s = (ns.s, ns.s) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ ns.s == ns.t }}",
    "{% set ns = namespace(s=(1,)) %}{% for i in range(100) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ {ns.s: 1} }}",
    "{% set ns = namespace(a=1) %}{% set ns.a = ns %}{{ ns }}",
    "{% set ns = namespace(a=1) %}{% for i in range(100000) %}{% set ns.a = {'a': ns.a} %}{% endfor %}",
    "{% set ns = namespace(a=[]) %}{% for i in range(100000) %}{% set ns.a = ns.a.count %}{% set ns.a = [ns.a] %}{% endfor %}",
    "{{ 'a' * 9223372036854775807 }}", "{{ 'aaaa' * 9223372036854775807 }}", "{{ [1, 2] * 100000000 }}",
    "{{ range(100001) }}",
    "{{ range(-9223372036854775807, 9223372036854775807) }}", "{{ 9223372036854775807 + 1 }}",
    "{{ -9223372036854775807 - 2 }}",
    "{{ 9223372036854775807 * 2 }}", "{{ 10 ** 100 }}", "{{ 99999999999999999999 }}", "{{ '%1001d' % 1 }}",
    "{{ 'a'.center(9223372036854775807) }}",
    "{{ 'a\nb'|indent(9223372036854775807) }}", "{{ [1]|tojson(indent=9223372036854775807) }}", "{{ 1e300|int }}",
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "{% for a in range(100000) %}{{ range(100000)|list|length }}{% endfor %}",
    "{% set s = 'a' * 1000000 %}{% for a in range(100000) %}{% if s == 'a' * 1000000 %}{% endif %}{% endfor %}",
    "{% set s = 'a' * 1000000 %}{% for a in range(100000) %}{% if (s ~ 'b') in s %}{% endif %}{% endfor %}",
    "{% set s = 'a' * 1000000 %}{% for a in range(100000) %}{{ s }}{% endfor %}",
    "{% set s = 'a' * 1000000 %}{% for a in range(100000) %}{{ s|trim|length }}{{ s|reverse|length }}{% endfor %}",
    "{% set s = 'a ' * 500000 %}{% for a in range(100000) %}{% set t = s.split() %}{% endfor %}",
    "{% set s = range(100000)|list %}{% for a in range(100000) %}{{ s|sort|length }}{% endfor %}",
    "{% set s = range(100000)|list %}{% for a in range(100000) %}{{ 5.5 in s }}{% endfor %}",
])
func hostileTemplatesAreStopped(source: String) {
    // By counting, not by the clock; fewer steps than those in use, for debug builds are slow.
    var limits = TemplateLimits()
    limits.steps = 50_000
    let error = failure(source, limits: limits)
    if case .limit? = error {} else { Issue.record("\(source.prefix(100)): \(String(describing: error))") }
}

@Test func smallestIntegersDoNotTrap() throws {
    for source in [
        "{{ (-9223372036854775807 - 1) // -1 }}", "{{ -(-9223372036854775807 - 1) }}",
        "{{ (-9223372036854775807 - 1)|abs }}",
    ] { #expect(throws: TemplateError.self) { try Template(source).render([]) } }
    #expect(try Template("{{ (-9223372036854775807 - 1) % -1 }}").render([]) == "0")
    #expect(
        try Template("{{ 'abc'[-9223372036854775807 - 1:9223372036854775807:9223372036854775807] }}").render([]) == "a")
    #expect(
        try Template("{{ 'abc'[-9223372036854775807 - 1] }}{{ 'abc'[::-9223372036854775807 - 1] }}").render([]) == "c")
    #expect(try Template("{{ range(0, 5, 9223372036854775807)|list }}").render([]) == "[0]")
}

@Test func valuesMayNotNestTooDeep() {
    var value = TemplateValue.integer(1)
    for _ in 0..<300 { value = .array([value]) }
    if case .limit? = failure("{{ x }}", [("x", value)]) {} else { Issue.record("no limit") }
}

@Test func whatATemplateRaisesIsCutForReading() throws {
    guard case .raised(let message, _)? = failure("{{ raise_exception('日' * 5000) }}", []) else {
        Issue.record("nothing raised")
        return
    }
    #expect(message == String(repeating: "日", count: 1000) + "…")
}
