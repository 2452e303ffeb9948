import Foundation
import Testing
import TinyJSON
import TinyTemplate

extension TemplateValue {
    init(_ json: JSON) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .array(let items): self = .array(items.map { TemplateValue($0) })
        case .object(let object): self = .object(zip(object.keys, object.values).map { Member($0, TemplateValue($1)) })
        case .table: self = .none  // nobody asked for one
        }
    }
}

/// Snippets with what Python's jinja2 makes of them; `scripts/make_template_fixtures.py` writes the fixture.
@Test func snippetsRenderAsJinjaDoes() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/snippets.json")
    let fixture = try #require(JSON(parsing: Array(Data(contentsOf: file))).object)
    let members = try #require(fixture["values"]?.object)
    let values = zip(members.keys, members.values).map { ($0, TemplateValue($1)) }
    let now = try #require(fixture["now"]?.array).compactMap(\.integer)
    let date = TemplateDate(year: now[0], month: now[1], day: now[2], hour: now[3], minute: now[4], second: now[5])
    let cases = try #require(fixture["cases"]?.array)
    #expect(cases.count > 300)
    for item in cases {
        let pair = try #require(item.array)
        let source = try #require(pair[0].string)
        if let expected = pair[1].string {
            let template = try Template(source)
            let text = try template.render(values, date: date)
            #expect(
                text.unicodeScalars.elementsEqual(expected.unicodeScalars),
                "\(source)\nexpected \(expected)\ngot      \(text)")
            #expect(try template.renderSegments(values, date: date).map(\.text).joined() == text)
        } else {
            #expect(throws: TemplateError.self, "\(source)") { try Template(source).render(values, date: date) }
        }
    }
}
