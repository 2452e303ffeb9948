import Testing
import TinyTemplate

private func failure(_ source: String) -> TemplateError? {
    do throws(TemplateError) {
        _ = try Template(source).render([("x", .string("a"))])
        return nil
    } catch {
        return error
    }
}

@Test(arguments: [
    ("a\n{% include 'x' %}", TemplateError.unsupported("tag", name: "include", line: 2)),
    ("{% import 'x' as y %}", .unsupported("tag", name: "import", line: 1)),
    ("{% extends 'x' %}", .unsupported("tag", name: "extends", line: 1)),
    ("{% call f() %}{% endcall %}", .unsupported("tag", name: "call", line: 1)),
    ("{% for i in x recursive %}{% endfor %}", .unsupported("loop modifier", name: "recursive", line: 1)),
    ("\n\n{{ x|nope }}", .unsupported("filter", name: "nope", line: 3)),
    ("{{ x is nope }}", .unsupported("test", name: "nope", line: 1)),
    ("{% if x %}\n{{ x|from_json }}{% endif %}", .unsupported("filter", name: "from_json", line: 2)),
    ("{{ x.encode() }}", .unsupported("method", name: "encode", line: 1)),
    ("{{ ['a']|map('nope')|list }}", .unsupported("filter", name: "nope", line: 1)),
    ("{{ f(*x) }}", .unsupported("argument", name: "*", line: 1)),
    ("a\n{{ y.z }}", .undefined(name: "y", line: 2)),
    ("{{ nope() }}", .undefined(name: "nope", line: 1)),
    ("{% if x %}\n\n{{ raise_exception('no ' ~ x) }}{% endif %}", .raised("no a", line: 3)),
    ("{% if x %}", .syntax("'if' is not closed", line: 1)),
    ("\n{{ x", .syntax("a tag is not closed", line: 2)),
    ("{{ 'a' + 1 }}", .invalid("'+' does not work on a string and an integer", line: 1)),
])
func errorsNameTheLineAndTheCulprit(source: String, expected: TemplateError) {
    #expect(failure(source) == expected)
}

@Test func descriptionsAreForPeople() {
    #expect(failure("\n{{ x|nope }}")?.description == "chat template, line 2: the filter 'nope' is not supported")
}
