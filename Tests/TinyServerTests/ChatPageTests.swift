import Foundation
import Testing

@testable import TinyServer

@Suite("The page")
struct ChatPageTests {
    private let html = ChatPage.html

    private func inside(_ element: String) throws -> [String] {
        let pattern = try Regex("<\(element)[^>]*>((?s:.*?))</\(element)>").anchorsMatchLineEndings()
        return html.matches(of: pattern).compactMap { $0.output[1].substring.map(String.init) }
    }

    /// All that the first group of a pattern matches.
    private func found(_ pattern: String, in text: String) throws -> [String] {
        try text.matches(of: Regex(pattern)).compactMap { $0.output[1].substring.map(String.init) }
    }

    @Test func loadsNothing() throws {
        let page = html.replacingOccurrences(of: ChatPage.icon, with: "")
        #expect(page.count < html.count && html.hasPrefix("<!DOCTYPE html>"))
        for part in [
            "http:", "https:", "//cdn", "src=", "@import", "url(", "import(", "WebSocket", "sendBeacon", "<a ",
            "<form action",
        ] {
            #expect(!page.contains(part), "\(part)")
        }
        #expect(try found(#"href="([^"]*)""#, in: html) == [ChatPage.icon])
        // Where it asks, it asks beside itself.
        #expect(try Set(found(#"ask\("([^"]*)""#, in: html)) == ["v1/chat/completions", "v1/models"])
        #expect(try found(#"(fetch\()"#, in: html).count == 1)
    }

    /// What the policy would forbid is not there to be forbidden, and no text becomes markup.
    @Test func keepsToThePolicy() throws {
        for part in [
            "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "style=",
        ] {
            #expect(!html.contains(part), "\(part)")
        }
        #expect(try found(#"<[^>]*\s(on[a-z]+)="#, in: ChatPage.body).isEmpty)
        let policy = ChatPage.contentSecurityPolicy
        #expect(policy.hasPrefix("default-src 'none';") && policy.contains("connect-src 'self';"))
        #expect(
            !policy.contains("unsafe") && !policy.contains("*") && policy.allSatisfy { $0.isASCII && !$0.isNewline })
    }

    /// The hashes are those of what stands between the tags, to the last line feed.
    @Test(arguments: ["script", "style"])
    func hashes(_ element: String) throws {
        let contents = try inside(element)
        #expect(contents.count == 1)
        let content = try #require(contents.first)
        #expect(content.count > 1000)
        let source = ContentHash.source(of: content)
        #expect(source.hasPrefix("sha256-") && ChatPage.contentSecurityPolicy.contains("\(element)-src '\(source)'"))
        #expect(html.utf8.contains(13) == false, "a browser would read another text than was hashed")
    }

    /// Every word stands in both languages, with the same places to fill in.
    @Test func words() throws {
        #expect(ChatPage.words.count > 60)
        #expect(Set(ChatPage.words.map(\.key)).count == ChatPage.words.count)
        let sameInBoth: Set = ["topP", "otherLanguage", "otherLanguageLabel"]
        for word in ChatPage.words {
            #expect(!word.english.isEmpty && !word.chinese.isEmpty, "\(word.key)")
            #expect(
                try Set(found(#"\{(\w+)\}"#, in: word.english)) == Set(found(#"\{(\w+)\}"#, in: word.chinese)),
                "\(word.key)")
            let isChinese = word.chinese.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) }
            #expect(isChinese != sameInBoth.contains(word.key), "\(word.key): \(word.chinese)")
        }
    }

    /// The words that the page uses and those that there are are the same.
    @Test func wordsInUse() throws {
        let script = try #require(try inside("script").first)
        let troubles =
            try found(#"new Trouble\("(\w+)""#, in: script)
            + found(#"(?:\d|:) "?([A-Z][a-z]+)""#, in: found(#"kindOfStatus = (.*\n.*)"#, in: script).joined())
        var used = try found(#"data-(?:word|label|hint)="(\w+)""#, in: ChatPage.body)
        used += try found(#"(?:say|button|sayKeyTrouble)\("(\w+)""#, in: script)
        used += try found(#"[?:\[,] ?"((?:idea|key|figure|trouble)[A-Z0-9]\w*)""#, in: script)
        used += troubles.map { "trouble" + $0 }
        let known = Set(ChatPage.words.map(\.key))
        #expect(Set(used).subtracting(known).isEmpty, "used, and not there")
        #expect(known.subtracting(used).sorted() == [], "there, and not used")
    }

    /// What the script looks for by name stands in the body, once.
    @Test func names() throws {
        let script = try #require(try inside("script").first)
        let names = try found(#"\sid="([^"]+)""#, in: ChatPage.body)
        #expect(Set(names).count == names.count)
        let asked = try Set(found(#"byId\("([\w-]+)"\)"#, in: script))
        #expect(asked.count > 20 && asked.subtracting(names).isEmpty, "\(asked.subtracting(names))")
        let fields = try found(#""(\w+)""#, in: found(#"const fields = (\[.*\])"#, in: script).joined())
        #expect(fields.count == 5 && fields.allSatisfy { names.contains("set-" + $0) })
        // Every field has a name for those who hear the page.
        #expect(try found(#"<label[^>]* for="(\w+)""#, in: ChatPage.body) == ["input"])
    }

    @Test func quoting() {
        #expect(ChatPage.quoted("a\"b\\c\n</script>你") == #""a\"b\\c\n\u003c/script>你""#)
    }
}

@Suite("Hashes of the page's parts")
struct ContentHashTests {
    /// The values are those of Python's hashlib.
    @Test(arguments: [
        ("", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        ("alert(1)", "sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI="),
        ("你好\n", "sha256-TggmchZC7Y46J+cUdTise3AToI/lrjQ6jvCXSbfleQ8="),
    ])
    func source(_ text: String, _ expected: String) { #expect(ContentHash.source(of: text) == expected) }
}
