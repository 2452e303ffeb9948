import Testing

@testable import TinyRunner

/// The scheduler's rules, without a model, a clock or a thread.
@Suite("Engine rules")
struct EngineRuleTests {
    @Test func oneClientsOwnComeInOrder() {
        var queue = RequestQueue<Int>(limit: 8)
        for number in 1...3 { queue.append(number, client: "a") }
        #expect([queue.next { _ in true }, queue.next { _ in true }, queue.next { _ in true }] == [1, 2, 3])
        #expect(queue.next { _ in true } == nil)
    }

    @Test func clientsTakeTurns() {
        var queue = RequestQueue<String>(limit: 16)
        for number in 1...4 { queue.append("a\(number)", client: "a") }
        queue.append("b1", client: "b")
        queue.append("c1", client: "c")
        queue.append("b2", client: "b")
        let order = (0..<7).compactMap { _ in queue.next { _ in true } }
        #expect(order == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"])
    }

    /// Who had a turn and comes back does not push before those who wait.
    @Test func comingBackIsNoAdvantage() {
        var queue = RequestQueue<String>(limit: 16)
        queue.append("b1", client: "b")
        #expect(queue.next { _ in true } == "b1")
        queue.append("a1", client: "a")
        queue.append("b2", client: "b")
        queue.append("a2", client: "a")
        #expect((0..<3).compactMap { _ in queue.next { _ in true } } == ["a1", "b2", "a2"])
    }

    @Test func whoMayNotBeginIsPassedOver() {
        var queue = RequestQueue<Int>(limit: 8)
        for number in 1...3 { queue.append(number, client: "") }
        #expect(queue.next { $0 != 1 } == 2)
        #expect(queue.next { _ in true } == 1)
        #expect(queue.remove { $0 == 3 } == [3])
        #expect(queue.count == 0)
    }

    @Test func manyClientsAreForgotten() {
        var queue = RequestQueue<Int>(limit: .max)
        for client in 0..<5000 {
            queue.append(client, client: "\(client)")
            #expect(queue.next { _ in true } == client)
        }
        // The last ones are remembered still.
        queue.append(1, client: "4999")
        queue.append(2, client: "new")
        #expect(queue.next { _ in true } == 2)
    }

    private func slot(_ tokens: [Int], usable: Int? = nil, free: Bool = true, lastUse: Int = 0) -> PrefixChoice.Slot {
        PrefixChoice.Slot(
            usable: tokens.prefix(usable ?? tokens.count), held: tokens.count, isFree: free, lastUse: lastUse)
    }

    @Test func aPrefixIsFoundAndUsedInItsPlace() throws {
        let slots = [slot([1, 2, 3], lastUse: 1), slot([1, 2, 3, 4, 5], lastUse: 2), slot([], lastUse: 0)]
        let choice = try #require(PrefixChoice([1, 2, 3, 4, 9], slots: slots))
        #expect((choice.slot, choice.source, choice.tokens) == (1, 1, 4))
    }

    /// The last token is read again, for its logits.
    @Test func neverTheWholePrompt() throws {
        let choice = try #require(PrefixChoice([1, 2, 3], slots: [slot([1, 2, 3, 4])]))
        #expect(choice.tokens == 2)
    }

    /// A long text is not given up for a short beginning: that is copied to the place used longest ago.
    @Test func aShortBeginningIsCopied() throws {
        let long = Array(1...100)
        let slots = [slot(long, lastUse: 5), slot([7], lastUse: 3), slot([8], lastUse: 4)]
        let choice = try #require(PrefixChoice([1, 2, 3, 200], slots: slots))
        #expect((choice.slot, choice.source, choice.tokens) == (1, 0, 3))
    }

    @Test func aBusySlotIsCopiedFrom() throws {
        let slots = [slot([1, 2, 3, 4], usable: 3, free: false, lastUse: 5), slot([9], lastUse: 1)]
        let choice = try #require(PrefixChoice([1, 2, 3, 4, 5], slots: slots))
        #expect((choice.slot, choice.source, choice.tokens) == (1, 0, 3))
        #expect(PrefixChoice([1, 2], slots: [slots[0]]) == nil)
    }
}
