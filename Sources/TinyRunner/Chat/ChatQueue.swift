/// Who waits until a chat is free, in the order they came: an actor lets others in while it awaits, which a conversation
/// cannot.
struct ChatQueue {
    private var isTaken = false
    private var turns = 0
    private var waiting: [(turn: Int, continuation: CheckedContinuation<Bool, Never>)] = []

    var isFree: Bool { !isTaken }
    var count: Int { waiting.count }

    /// Takes it, if it is free.
    mutating func take() -> Bool {
        defer { isTaken = true }
        return !isTaken
    }

    mutating func newTurn() -> Int {
        turns += 1
        return turns
    }

    /// - Parameter continuation: told true when the chat is theirs, false if they gave up.
    mutating func wait(_ turn: Int, _ continuation: CheckedContinuation<Bool, Never>) {
        waiting.append((turn, continuation))
    }

    mutating func giveUp(_ turn: Int) {
        guard let index = waiting.firstIndex(where: { $0.turn == turn }) else { return }
        waiting.remove(at: index).continuation.resume(returning: false)
    }

    /// Hands it to the next.
    mutating func leave() {
        isTaken = !waiting.isEmpty
        if isTaken { waiting.removeFirst().continuation.resume(returning: true) }
    }
}
