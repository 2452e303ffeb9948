import Foundation
import Testing
import TinyTestSupport

@testable import TinyGPTCommand

@Suite("chat: what is typed")
struct ChatInputTests {
    private func read(_ lines: [String]) -> [MessageReader.Input] {
        var reader = MessageReader()
        return lines.compactMap { reader.take($0) } + [reader.finish()].compactMap { $0 }
    }

    @Test func lines() {
        #expect(read(["a", "", "b\r"]) == [.typed("a"), .typed(""), .typed("b")])
        #expect(read(["a \\", "b\\", "c"]) == [.typed("a \nb\nc")])
        #expect(read(["a\\"]) == [.typed("a")])
        #expect(read(["\\", "x"]) == [.typed("\nx")])
    }

    @Test func blocks() {
        #expect(read(["\"\"\"", "/a", "", "b\\", "\"\"\"", "c"]) == [.block("/a\n\nb\\"), .typed("c")])
        #expect(read(["  \"\"\"a", "b\"\"\"  "]) == [.block("a\nb")])
        #expect(read(["\"\"\"a\"\"\""]) == [.block("a")])
        #expect(read(["\"\"\"\"\"\""]) == [.block("")])
        #expect(read(["x \"\"\" y"]) == [.typed("x \"\"\" y")])
        var reader = MessageReader()
        #expect(reader.take("\"\"\"a") == nil && reader.isInside && reader.isInBlock)
        #expect(reader.finish() == nil && !reader.isInside)
    }

    /// With line ends in it a line was pasted, or comes from the history.
    @Test func pasted() {
        #expect(read(["a\nb\\\nc"]) == [.typed("a\nb\\\nc")])
        #expect(read(["x\\", "a\nb"]) == [.typed("x\na\nb")])
        #expect(read(["\"\"\"\na\nb\n\"\"\""]) == [.block("a\nb")])
        #expect(read(["\"\"\"", "a\nb", "\"\"\""]) == [.block("a\nb")])
    }

    private func action(_ text: String) throws -> ChatAction { try ChatAction(.typed(text)) }

    @Test func commands() throws {
        #expect(try action("hi /help") == .say("hi /help"))
        #expect(try action("//help me") == .say("/help me"))
        #expect(try ChatAction(.block("/help")) == .say("/help"))
        #expect(try action("/system  Be\nbrief. ") == .system("Be\nbrief."))
        #expect(try action("/system") == .system(nil))
        #expect(try action("/save a b.json ") == .save("a b.json"))
        #expect(try action("/load x") == .load("x"))
        #expect(try action("/candidates") == .candidates(nil))
        #expect(try action("/candidates 20") == .candidates(20))
        #expect(try action("/drop 3") == .drop(3))
        for (text, expected) in [
            ("/reset", ChatAction.reset), ("/regenerate ", .regenerate), ("/stats", .stats), ("/help", .help),
            ("/quit", .quit),
        ] { #expect(try action(text) == expected) }
        // Every command of the list is one.
        for command in ChatAction.commands {
            let argument = command.argument == "FILE" ? " x" : ""
            #expect(throws: Never.self) { try action(command.name + argument) }
        }
    }

    @Test(arguments: [
        ("/foo", "/regenerate"), ("/", "no command /;"), ("/RESET", "no command /RESET"), ("/usr/bin x", "write two"),
        ("/reset now", "takes nothing"), ("/save", "/save FILE"), ("/load  ", "/load FILE"),
        ("/candidates 0", "from 1 to 20"), ("/candidates 21", "from 1 to 20"), ("/candidates x", "found \"x\""),
        ("/drop -1", "from 1 on"), ("/drop 99999999999999999999", "from 1 on"), ("/\u{1B}[2J", "\\u{1b}[2J"),
    ]) func refused(text: String, reason: String) {
        let error = #expect(throws: Failure.self) { try action(text) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func wrapping() {
        #expect("one two three".wrapped(to: 7) == "one two\nthree")
        #expect("  indented line\nx".wrapped(to: 12) == "  indented\nline\nx")
        #expect("一二 三四 五".wrapped(to: 9) == "一二 三四\n五")
        #expect("unbreakable".wrapped(to: 4) == "unbreakable")
        for width in 20...90 {
            for line in ChatAction.listing.wrapped(to: width).split(separator: "\n") {
                #expect(String(line).columns <= width)
            }
        }
        #expect(ChatAction.listing.split(separator: "\n").allSatisfy { String($0).columns <= 60 })
    }

    // MARK: The history's file

    @Test func historyPath() {
        #expect(InputHistory.path(["XDG_STATE_HOME": "/s", "HOME": "/h"]) == "/s/tinygpt/chat_history")
        #expect(InputHistory.path(["XDG_STATE_HOME": "s", "HOME": "/h"]) == "/h/.local/state/tinygpt/chat_history")
        #expect(InputHistory.path([:]) == nil)
    }

    @Test func history() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/a/b/chat_history"
        var history = try InputHistory(path: path)
        #expect(history.entries == [])
        let entries = ["one", "a\nb\\n\\", "你好 \r x", "\n\u{301}"]
        for entry in entries { try history.append(entry) }
        try history.append("\n\u{301}")
        #expect(try InputHistory(path: path).entries == entries)
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(path) == 0o600)
        #expect(try mode(folder.path + "/a/b") == 0o700)
        // One that others could read is theirs no more.
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        _ = try InputHistory(path: path)
        #expect(try mode(path) == 0o600)
    }

    @Test func longHistory() throws {
        let folder = TemporaryFolder()
        let path = folder.write("h", Array((0..<2500).map { "entry \($0)\n" }.joined().utf8))
        #expect(try InputHistory(path: path).entries.count == 1000)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 1000 && lines.first == "entry 1500" && lines.last == "entry 2499")
        // What is no text is read as far as it is, and a folder is refused.
        _ = try InputHistory(path: folder.write("bytes", [0xFF, 0x00, 0x0A, 0x5C]))
        #expect(throws: Failure.self) { try InputHistory(path: folder.path) }
        var lost = try InputHistory(path: folder.path + "/gone/y")
        folder.write("gone", [])
        #expect(throws: Failure.self) { try lost.append("x") }
    }
}
