import Foundation
import Testing
import TinyLoader
import TinyModels
import TinyTemplate
import TinyTestSupport

@testable import TinyRunner

@Suite("Transcripts")
struct TranscriptTests {
    private let messages: [Chat.Message] = [
        .init(.system, "Be \"brief\"."), .init(.user, "a\\b\n\t\u{1}\u{85}你好 👍🏽"), .init(.assistant, ""),
        .init(.user, "</s>"),
    ]

    @Test func json() throws {
        let transcript = try Chat.Transcript(messages)
        #expect(try Chat.Transcript(json: transcript.json) == transcript)
        #expect(try Chat.Transcript(json: Chat.Transcript([]).json).messages == [])
        // What chat templates are shown.
        let conversation = try Conversation(json: transcript.json)
        #expect(conversation.messages.count == 4 && conversation.variables.isEmpty)
        #expect(conversation.messages[1]["content"] == .string(messages[1].text))
        // A list alone will do.
        #expect(try Chat.Transcript(json: #"[{"content":"x","role":"user"}]"#).messages == [.init(.user, "x")])
    }

    @Test func codable() throws {
        let transcript = try Chat.Transcript(messages)
        let data = try JSONEncoder().encode(transcript)
        #expect(try JSONDecoder().decode(Chat.Transcript.self, from: data) == transcript)
        #expect(try Chat.Transcript(json: Array(data)) == transcript)
        #expect(throws: RunnerError.self) {
            try JSONDecoder().decode(
                Chat.Transcript.self, from: Data(#"{"messages":[{"role":"assistant","content":"x"}]}"#.utf8))
        }
    }

    @Test(arguments: [
        (#"{"messages":[{"role":"user","content":"x"}"#, "line 1"),
        ("{\"messages\":\n[x]}", "line 2"),
        ("3", "is a number"),
        (#"{"message":[]}"#, #""message" is nothing that a chat keeps"#),
        ("{}", #"has no "messages""#),
        (#"{"messages":{}}"#, #""messages" is an object"#),
        (#"{"messages":[],"tools":[]}"#, #""tools""#),
        (#"["x"]"#, "messages[0] is a string"),
        (#"[{"role":"user","content":"x"},{"role":"assistant"}]"#, #"messages[1] has no "content""#),
        (#"[{"role":"user","content":["x"]}]"#, "messages[0].content is an array"),
        (#"[{"role":"tool","content":"x"}]"#, #"messages[0].role is "tool""#),
        (#"[{"role":"user","content":"x","name":"y"}]"#, #"messages[0] has "name""#),
        (
            #"[{"role":"user","content":"x"},{"role":"user","content":"y"}]"#,
            #"messages[1].role is "user", and "assistant""#
        ),
        (#"[{"role":"assistant","content":"x"}]"#, #"messages[0].role is "assistant", and "user""#),
        (#"[{"role":"user","content":"x"},{"role":"system","content":"y"}]"#, "instructions come first"),
        ("", "line 1"),
    ]) func refused(json: String, reason: String) {
        let error = #expect(throws: RunnerError.self) { try Chat.Transcript(json: json) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func files() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/chat.json"
        let transcript = try Chat.Transcript(messages)
        try transcript.write(to: path)
        #expect(try Chat.Transcript(at: path) == transcript)
        #expect(throws: OutputError.self) { try transcript.write(to: path) }
        try Chat.Transcript([]).write(to: path, replaces: true)
        #expect(try Chat.Transcript(at: path).messages == [])
        let error = #expect(throws: FormatError.self) {
            try Chat.Transcript(at: folder.write("bad.json", Array("[1]".utf8)))
        }
        #expect(error?.description.contains("bad.json: not a conversation: messages[0]") == true)
        #expect(throws: FormatError.self) { try Chat.Transcript(at: folder.path) }
        #expect(throws: FormatError.self) { try Chat.Transcript(at: folder.path + "/none") }
        #expect(throws: OutputError.self) { try transcript.write(to: folder.path + "/none/x.json") }
    }

    /// A conversation that goes on is the same text to the model.
    @Test func restoring() async throws {
        let fixture = try ChatFixture()
        let chat = Chat(fixture.model, instructions: "Be brief.", capacity: 400)
        try await chat.reply(to: "Hello", maxTokens: 6)
        let saved = await chat.transcript
        let other = Chat(fixture.model, capacity: 400)
        try await other.restore(Chat.Transcript(json: saved.json))
        #expect(await other.messages == saved.messages)
        let asked = saved.messages + [.init(.user, "And now?")]
        #expect(try await other.prompt(of: asked).text == chat.prompt(of: asked).text)
        #expect(try await other.reply(to: "And now?", maxTokens: 6).cachedTokens == 0)
    }

    @Test func unanswered() async throws {
        let fixture = try ChatFixture()
        let chat = Chat(fixture.model, capacity: 400)
        try await chat.restore(Chat.Transcript([.init(.user, "Hello")]))
        await #expect(throws: ChatError.unanswered) { try await chat.reply(to: "x") }
        try await chat.regenerate(maxTokens: 4)
        #expect(await chat.messages.map(\.role) == [.user, .assistant])
    }
}
