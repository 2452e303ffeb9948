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
        let hash = SHA256.base64(SHA256.digest(Array(content.utf8)))
        #expect(ChatPage.contentSecurityPolicy.contains("\(element)-src 'sha256-\(hash)'"))
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

@Suite("SHA-256")
struct SHA256Tests {
    /// Lengths around the ends of blocks; the values are those of Python's hashlib.
    @Test(arguments: [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (3, "6ab0dba1f4f1dfbb37b4f9eeb092c09fca4900ad32bdcd147d8dde35d6c87c35"),
        (55, "d604dc83c754bb5890ec011f3fa0552324cb1412205b5a5e83fd17cd4afe57ed"),
        (56, "0371e3fd4911ce4109ac9aaddc0ebdfe28431802ef70a966cb245da585f2a37e"),
        (63, "de8f546e5d44d4fb35d25af2748ed9b6644d200d56b6b0b6e71b095b44348dc6"),
        (64, "35eb8c80b4af970a05040dd151d5edad6172957c1ded27e521fdcf526178feb3"),
        (65, "c96988663bcd3779da5b1c0e499742ff48bf6148d5c044326ce3e5845a80e6ab"),
        (119, "7fb3869648ad8420f2e1a20812a61ba45c3db01dc7b391d48c2a8c1d6f41be35"),
        (120, "9db2bb35e3e98f502b654e82f0051eebfa45015e36ed8c3a28d44586eff7372b"),
        (1000, "e66c6563e3797f84573ef7dfe3a460d5d579967297ef20150d89f0c6e358221e"),
    ])
    func digest(_ count: Int, _ expected: String) {
        let message = (0..<count).map { UInt8(($0 * 7 + count) % 251) }
        #expect(SHA256.digest(message).map { String(format: "%02x", $0) }.joined() == expected)
    }

    @Test(arguments: [
        ([], ""), ([0], "AA=="), ([251, 255], "+/8="), ([77, 97, 110], "TWFu"), ([255, 239, 190, 1], "/+++AQ=="),
    ])
    func base64(_ bytes: [UInt8], _ expected: String) {
        #expect(SHA256.base64(bytes) == expected)
        #expect(SHA256.base64(bytes) == Data(bytes).base64EncodedString())
    }
}
