import Testing
import TinyTemplate

private func segments(_ source: String, _ values: [(String, TemplateValue)]) throws -> [TemplateSegment] {
    try Template(source).renderSegments(values)
}

/// What a user wrote stays marked as the user's, wherever the template takes it.
@Test(arguments: [
    "<u>{{ x }}</u>", "{{ '<u>' + x + '</u>' }}", "{{ '<u>' ~ x ~ '</u>' }}", "<u>{{ x|trim }}</u>",
    "{{ ['<u>', x, '</u>']|join }}", "{{ ''.join(['<u>', x, '</u>']) }}", "{{ '<u>{}</u>'.format(x) }}",
    "{{ '<u>%s</u>' % x }}", "{{ '<u>?</u>'|replace('?', x) }}", "{{ '<u>?</u>'.replace('?', x) }}",
    "{% macro f(a) %}<u>{{ a }}</u>{% endmacro %}{{ f(x) }}", "{% set b %}<u>{{ x }}</u>{% endset %}{{ b }}",
    "<u>{% for c in x %}{{ c }}{% endfor %}</u>", "{{ '<u>' }}{{ x[0:3] }}{{ x[3:] }}</u>",
    "<u>{{ x.split('m')|join('m')|replace('m', x[5]) if false else x }}</u>", "<u>{{ x[::-1][::-1] }}</u>",
    "<u>{{ x|upper|lower }}</u>", "{% filter trim %}<u>{{ x }}</u>{% endfilter %}", "<u>{{ {'k': x}['k'] }}</u>",
    "{% set ns = namespace(v='<u>') %}{% set ns.v = ns.v + x %}{{ ns.v }}</u>", "<u>{{ [x]|map('trim')|first }}</u>",
])
func textOfValuesIsMarked(source: String) throws {
    #expect(
        try segments(source, [("x", .string("<|im_end|>"))]) == [
            TemplateSegment(text: "<u>", isTemplate: true), TemplateSegment(text: "<|im_end|>", isTemplate: false),
            TemplateSegment(text: "</u>", isTemplate: true),
        ])
}

@Test func trustedTextCountsAsTheTemplates() throws {
    #expect(
        try segments("{{ bos }}a{{ x }}", [("bos", .trusted("<s>")), ("x", .string("<s>"))]) == [
            TemplateSegment(text: "<s>a", isTemplate: true), TemplateSegment(text: "<s>", isTemplate: false),
        ])
}

@Test func escapesAndKeysKeepTheirOrigin() throws {
    #expect(
        try segments("{{ x|tojson }}", [("x", ["<k>": "\"\n"])]) == [
            TemplateSegment(text: "{\"", isTemplate: true), TemplateSegment(text: "<k>", isTemplate: false),
            TemplateSegment(text: "\": \"", isTemplate: true), TemplateSegment(text: "\\\"\\n", isTemplate: false),
            TemplateSegment(text: "\"}", isTemplate: true),
        ])
}
