import Foundation
import Testing
import TinyModels
import TinyTestSupport
import TinyTokenizer

@testable import TinyRunner

@Suite("Pages of traces")
struct TracePageTests {
    private func page(
        _ text: String, _ options: TraceOptions = TraceOptions(top: 3), fixture: String = "llama-default",
        title: String = "a model"
    ) throws -> (html: String, data: [String: Any]) {
        let model = try openFixture(fixture)
        let html = try TracePage(model.trace(text, options), model.tokenizer, title: title).html()
        let start = try #require(html.range(of: "id=\"data\">"))
        let end = try #require(html.range(of: "</script>", range: start.upperBound..<html.endIndex))
        let json = try JSONSerialization.jsonObject(with: Data(html[start.upperBound..<end.lowerBound].utf8))
        return (html, try #require(json as? [String: Any]))
    }

    /// What a text says stays text: no element is ended or begun by it, in the page or in its data.
    @Test(arguments: [
        "</script><script>alert(1)</script>", "<!-- <script> -->", "a\u{2028}b\u{2029}c\u{0}\u{7F}",
        "\"'\\u003c&amp;&#60;",
    ])
    func injection(_ text: String) throws {
        let (html, data) = try page(text, title: text)
        let (plain, _) = try page("ab", title: "ab")
        func count(_ part: String, _ html: String) -> Int { html.components(separatedBy: part).count - 1 }
        for part in ["<script", "</script", "<!--", "-->"] {
            #expect(count(part, html) == count(part, plain), "\(part) of the text reached the page")
        }
        #expect(!html.contains("\u{2028}") && !html.contains("\u{0}"))
        // And it is all there.
        let runs = try #require(data["runs"] as? [[String: Any]])
        #expect(runs.compactMap { $0["text"] as? String }.joined() == text)
        #expect(data["title"] as? String == text)
    }

    /// Nothing is fetched, and the page itself forbids it.
    @Test func standsAlone() throws {
        let (html, _) = try page("你好", TraceOptions(lens: [0, 3], attention: [1]))
        for part in ["http:", "https:", "src=", "@import", "url(", "fetch(", "innerHTML", "//cdn"] {
            #expect(!html.contains(part), "\(part)")
        }
        #expect(html.contains("default-src 'none'") && html.contains("prefers-color-scheme: dark"))
        #expect(html.contains("width=device-width") && html.hasPrefix("<!DOCTYPE html>"))
    }

    /// Characters of several tokens are runs, and parts of characters show as bytes.
    @Test func runs() throws {
        let text = "你好 a👍"
        let (_, data) = try page(text)
        let runs = try #require(data["runs"] as? [[String: Any]])
        let tokens = try #require(data["tokens"] as? [[String: Any]])
        #expect(runs.compactMap { $0["text"] as? String }.joined() == text)
        #expect(runs.count < tokens.count && runs.last?["to"] as? Int == tokens.count)
        #expect(runs.first?["text"] as? String == "你")
        #expect((tokens[0]["text"] as? String)?.hasPrefix("\\x") == true)
    }

    @Test func content() throws {
        let (_, data) = try page("abc abc", TraceOptions(top: 3, steps: 2, lens: [0, 3], attention: [2]))
        let tokens = try #require(data["tokens"] as? [[String: Any]])
        #expect(tokens.suffix(2).allSatisfy { $0["chosen"] as? Bool == true })
        #expect(tokens.first?["p"] is NSNull && tokens[1]["p"] is Double)
        let pieces = try #require(data["pieces"] as? [[String: Any]])
        let known = Set(pieces.compactMap { $0["id"] as? Int })
        for token in tokens {
            let next = try #require(token["next"] as? [Double])
            #expect(next.count == 7 && known.isSuperset(of: [1, 3, 5].map { Int(next[$0]) }))
            #expect((token["lens"] as? [[Double]])?.last == next)
        }
        let maps = try #require(data["attention"] as? [[String: Any]])
        #expect(maps.count == 1 && maps[0]["layer"] as? Int == 2 && maps[0]["elsewhere"] is NSNull)
        let row = try #require((maps[0]["heads"] as? [[[Int]]])?.first?.last)
        let sum = stride(from: 1, to: row.count, by: 2).reduce(0) { $0 + row[$1] }
        #expect((960...1010).contains(sum), "thousandths: \(row)")
    }

    @Test func tooLarge() throws {
        let model = try openFixture("llama-dynamic")
        let long = Array(repeating: 77, count: 70)
        var trace = try model.trace(tokens: long, TraceOptions(top: 1, lens: [0]))
        trace.tokens = (0..<300).flatMap { _ in trace.tokens }
        let error = #expect(throws: RunnerError.self) {
            _ = try TracePage(trace, model.tokenizer, title: "").html()
        }
        #expect("\(try #require(error))".contains("21000"))
    }
}
