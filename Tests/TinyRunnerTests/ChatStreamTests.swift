import Testing
import TinyModels
import TinyTestSupport

@testable import TinyRunner

@Suite("Chat: streaming, stopping, one at a time")
struct ChatStreamTests {
    /// More tokens than there is room for.
    private var options: Chat.ReplyOptions {
        var options = Chat.ReplyOptions(.sampled(temperature: 2, seed: 1), maxTokens: .max)
        options.generation.ignoresEnd = true
        return options
    }

    @Test func streaming() async throws {
        let fixture = try ChatFixture()
        // The first answer is one pass and seven more; of the second there are a few.
        let gate = PassGate(passes: 12)
        let chat = Chat(try Engine(fixture.model, Engine.Options(slots: 1, context: 4000), beforePass: { gate.pass() }))
        var text = ""
        for try await piece in chat.stream("Hello", maxTokens: 8) { text += piece.text }
        let messages = await chat.messages
        #expect(messages.last == .init(.assistant, text))
        // Leaving the loop stops the model; the turn did not happen.
        for try await _ in chat.events(.message("Hello again"), options) { break }
        gate.open()
        try await chat.exclusively {}
        #expect(await chat.messages == messages)
    }

    @Test func events() async throws {
        let fixture = try ChatFixture()
        let chat = Chat(fixture.model, capacity: 400)
        var (read, text, tokens) = ([(Int, Int)](), "", [Int]())
        var finished: Completion?
        for try await event in chat.events(.message("Hello"), Chat.ReplyOptions(maxTokens: 8, candidates: 0)) {
            #expect(finished == nil)
            switch event {
            case .read(let tokens, let total): read.append((tokens, total))
            case .piece(let piece):
                text += piece.text
                tokens += piece.tokens.map(\.token)
            case .finished(let completion): finished = completion
            }
        }
        let completion = try #require(finished)
        #expect(completion.text == text && completion.tokens == tokens)
        let last = try #require(read.last)
        #expect(last == (completion.promptTokens, completion.promptTokens))
    }

    @Test func cancelledBeforeItBegins() async throws {
        let fixture = try ChatFixture()
        let chat = Chat(fixture.model, capacity: 400)
        let task = Task { try await chat.reply(to: "Hello", maxTokens: 300) }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        #expect(await chat.messages == [])
        let after = try await chat.reply(to: "Hello", maxTokens: 5)
        let clean = try await Chat(fixture.model, capacity: 400).reply(to: "Hello", maxTokens: 5)
        #expect(after.tokens == clean.tokens)
    }

    /// Stops a chat when the third piece of some has come, and tells what became of it.
    private func stop(
        _ chat: Chat, _ options: Chat.ReplyOptions, _ gate: PassGate
    ) async throws -> Result<Completion, any Error> {
        let (pieces, told) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await chat.answer(.message("Hello"), options) { if case .piece = $0 { told.yield() } }
        }
        for await _ in pieces.prefix(3) {}
        task.cancel()
        gate.open()
        return await task.result
    }

    private func gatedChat(_ fixture: ChatFixture) throws -> (Chat, PassGate) {
        let gate = PassGate(passes: 12)
        return (
            Chat(try Engine(fixture.model, Engine.Options(slots: 1, context: 4000), beforePass: { gate.pass() })), gate
        )
    }

    @Test func stoppedAndForgotten() async throws {
        let fixture = try ChatFixture()
        let (chat, gate) = try gatedChat(fixture)
        let result = try await stop(chat, options, gate)
        #expect(throws: CancellationError.self) { try result.get() }
        #expect(await chat.messages == [])
    }

    @Test func stoppedAndKept() async throws {
        let fixture = try ChatFixture()
        let (chat, gate) = try gatedChat(fixture)
        var options = options
        options.keepsStopped = true
        let stopped = try await stop(chat, options, gate).get()
        #expect(stopped.stopReason == .cancelled)
        #expect((1...12).contains(stopped.completionTokens) && !stopped.text.isEmpty)
        #expect(await chat.messages == [.init(.user, "Hello"), .init(.assistant, stopped.text)])
        #expect(await chat.lastReply?.tokens == stopped.tokens)
        // It goes on from there as a conversation does that was restored to the same words.
        let after = try await chat.reply(to: "And?", maxTokens: 5)
        #expect(after.promptTokens > stopped.promptTokens + stopped.completionTokens)
    }

    @Test func oneAfterTheOther() async throws {
        let fixture = try ChatFixture()
        let chat = Chat(fixture.model, capacity: 1000)
        // Held for as long as it takes the others to queue up, however slow the machine is.
        let (gate, opening) = AsyncStream.makeStream(of: Never.self)
        let holder = Task { try await chat.exclusively { for await _ in gate {} } }
        while await chat.isFree { await Task.yield() }
        let first = Task { try await chat.reply(to: "1", maxTokens: 40) }
        while await chat.waiting < 1 { await Task.yield() }
        let second = Task { try await chat.reply(to: "2", maxTokens: 3) }
        while await chat.waiting < 2 { await Task.yield() }
        let given = Task { try await chat.reply(to: "3", maxTokens: 3) }
        while await chat.waiting < 3 { await Task.yield() }
        given.cancel()
        opening.finish()
        try await holder.value
        await #expect(throws: CancellationError.self) { _ = try await given.value }
        _ = try await (first.value, second.value)
        #expect(await chat.messages.filter { $0.role == .user }.map(\.text) == ["1", "2"])
        try await chat.reset()
        #expect(await chat.messages == [])
    }
}
