import Testing
import TinyModels
import TinyTestSupport

@testable import TinyRunner

@Suite("Chat: what no longer fits")
struct ChatRoomTests {
    @Test func tooLongAlone() async throws {
        let fixture = try ChatFixture()
        let chat = Chat(fixture.model, capacity: 40)
        let text = String(repeating: "long ", count: 50)
        let tokens = try await chat.prompt(of: [.init(.user, text)]).tokens.count
        await #expect(throws: ChatError.tooLong(tokens: tokens, capacity: 40, turnsToDrop: nil)) {
            try await chat.reply(to: text, maxTokens: 1)
        }
        #expect(await chat.messages == [])
        _ = try await chat.reply(to: "a", maxTokens: 1)  // goes on as before
        #expect(await chat.messages.count == 2)
    }

    /// The offer of the error holds: with so many turns less it fits, with one less it does not.
    @Test func offersTheTurnsToDrop() async throws {
        let fixture = try ChatFixture()
        let chat = Chat(fixture.model, instructions: "Be brief.", capacity: 200)
        var asked = 0
        var offer: (tokens: Int, turns: Int)?
        while offer == nil && asked < 50 {
            do {
                try await chat.reply(to: "message number \(asked)", maxTokens: 8)
                asked += 1
            } catch ChatError.tooLong(let tokens, let capacity, let turns) {
                #expect(capacity == 200 && tokens >= 200)
                offer = (tokens, try #require(turns))
            }
        }
        let turns = try #require(offer?.turns)
        #expect(await chat.turns.count == asked && turns >= 1)
        #expect(asked > turns)
        let dropped = try await chat.dropOldestTurns(turns)
        #expect(dropped.first == .init(.user, "message number 0") && dropped.count == 2 * turns)
        #expect(await chat.instructions == "Be brief.")
        #expect(await chat.turns.count == asked - turns)
        let reply = try await chat.reply(to: "message number \(asked)", maxTokens: 8)
        #expect(reply.promptTokens <= 200 - 8 && reply.completionTokens == 8)
    }

    @Test func droppingWhatIsNotThere() async throws {
        let fixture = try ChatFixture()
        let chat = Chat(fixture.model, instructions: "Be brief.", capacity: 200)
        await #expect(throws: ChatError.noSuchTurns(count: 1, held: 0)) { try await chat.dropOldestTurns() }
        try await chat.reply(to: "x", maxTokens: 2)
        await #expect(throws: ChatError.noSuchTurns(count: 2, held: 1)) { try await chat.dropOldestTurns(2) }
        await #expect(throws: ChatError.noSuchTurns(count: -1, held: 1)) { try await chat.dropOldestTurns(-1) }
        #expect(try await chat.dropOldestTurns(0) == [])
        #expect(await chat.messages.count == 3)
        #expect(try await chat.dropOldestTurns().count == 2)
        #expect(await chat.messages == [.init(.system, "Be brief.")])
    }

    @Test func contextFull() async throws {
        let fixture = try ChatFixture()
        let chat = Chat(fixture.model, capacity: 60)
        let reply = try await chat.reply(to: "Hello", .sampled(temperature: 2, seed: 3))
        if reply.stopReason == .contextFull { #expect(reply.promptTokens + reply.completionTokens >= 60) }
        #expect(reply.stopReason == .contextFull || reply.stopReason == .endOfText)
        #expect(await chat.messages.count == 2)
    }
}
