import Foundation
import Testing
import TinyJSON
import TinyTemplate

/// Attacks from `scripts/attack_templates.py`, which also runs them in the command and measures seconds and memory.
@Suite("Attacks")
struct AttackTests {
    static let fixture: JSONObject? = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/attacks.json")
        return (try? Data(contentsOf: file)).flatMap { try? JSON(parsing: Array($0)).object }
    }()

    private static func strings(_ key: String) -> [String] { fixture?[key]?.array?.compactMap(\.string) ?? [] }

    private let values: [(String, TemplateValue)] = [
        ("messages", [["role": "user", "content": "Hi"]]), ("bos_token", .trusted("<s>")), ("tools", nil),
    ]

    /// Nothing is reached but the values given: the template is refused, or renders to what these and itself hold.
    @Test func injections() {
        let starts = Self.strings("starts")
        let chains = Self.strings("chains")
        let attacks = starts.flatMap { start in chains.map { "{{ \(start)\($0) }}" } } + Self.strings("injections")
        let loot = Self.strings("loot")
        #expect(attacks.count > 800 && loot.count > 10)
        var refused = 0
        for source in attacks {
            do throws(TemplateError) {
                let text = try Template(source).render(values, date: TemplateDate(year: 2026, month: 3, day: 7))
                for word in loot where text.contains(word) && !source.contains(word) {
                    Issue.record("\(source) shows \(word): \(text)")
                }
            } catch {
                refused += 1
                #expect(error.line == 1, "\(source): \(error)")
            }
        }
        #expect(refused > 500)
    }

    /// Every one ends in an error, by counting. The counts are smaller than those in use, for debug builds are slow.
    @Test func blowUps() throws {
        var limits = TemplateLimits()
        limits.steps = 5_000
        limits.outputLength = 100_000
        let attacks = try #require(Self.fixture?["blow_ups"]?.array)
        #expect(attacks.count > 400)
        for attack in attacks {
            let source = (attack.array ?? []).map { piece in
                String(
                    repeating: piece.array?.first?.string ?? "", count: min(piece.array?.last?.integer ?? 0, 1_000))
            }.joined()
            let isShortened = (attack.array ?? []).contains { ($0.array?.last?.integer ?? 0) > 1_000 }
            do throws(TemplateError) {
                _ = try Template(source, limits: limits).render(values)
                // What only its length made an attack is none any more.
                if !isShortened { Issue.record("not stopped: \(source.prefix(200))") }
            } catch { #expect(error.line >= 1) }
        }
    }

    /// What is too long is refused before it is read.
    @Test func sourcesAreLimited() {
        var limits = TemplateLimits()
        limits.sourceLength = 1000
        #expect(throws: TemplateError.limit("1000 characters of source", line: 1)) {
            try Template(String(repeating: "{{ 1 }}", count: 200), limits: limits)
        }
    }

    /// A longer conversation gets more steps, a template that takes more than its share does not.
    @Test func stepsGrowWithTheValues() throws {
        var limits = TemplateLimits()
        limits.steps = 100
        limits.stepsPerValue = 20
        limits.stepsPerLetter = 0
        let each = try Template("{% for m in messages %}{{ m.role }}{% endfor %}", limits: limits)
        let pairs = try Template(
            "{% for m in messages %}{% for n in messages %}{{ n.role }}{% endfor %}{% endfor %}", limits: limits)
        for count in [10, 1000] {
            let messages = TemplateValue.array(Array(repeating: ["role": "user"], count: count))
            #expect(try each.render([("messages", messages)]).count == 4 * count)
        }
        #expect(throws: TemplateError.self) {
            try pairs.render([("messages", .array(Array(repeating: ["role": "user"], count: 1000)))])
        }
    }
}
