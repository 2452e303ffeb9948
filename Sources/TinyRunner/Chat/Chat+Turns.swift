extension Chat {
    /// What the model is told before the conversation.
    public var instructions: String? { messages.first.flatMap { $0.role == .system ? $0.text : nil } }

    /// Changes what the model is told; what was said stays, and is read again.
    ///
    /// - Throws: `CancellationError` if the task is cancelled while it waits for an answer that is being given.
    public func setInstructions(_ text: String?) async throws {
        try await exclusively { change(to: Self.messages(text, turns: turns)) }
    }

    /// Forgets what was said; the instructions stay.
    public func reset() async throws {
        try await exclusively { change(to: Self.messages(instructions, turns: [])) }
    }

    /// Puts another conversation in the place of this one, its instructions too.
    public func restore(_ transcript: Transcript) async throws {
        try await exclusively { change(to: transcript.messages) }
    }

    /// The conversation as a value, to be saved.
    public var transcript: Transcript { Transcript(checked: messages) }

    // MARK: Making room

    /// What was asked, and what was answered: the conversation without its instructions, cut before every question.
    public var turns: [[Message]] { Self.turns(of: messages) }

    /// Forgets the oldest turns; the instructions stay.
    ///
    /// - Returns: what was dropped.
    /// - Throws: `ChatError.noSuchTurns`, and nothing is dropped then.
    @discardableResult
    public func dropOldestTurns(_ count: Int = 1) async throws -> [Message] {
        try await exclusively {
            let turns = turns
            guard (0...turns.count).contains(count) else {
                throw ChatError.noSuchTurns(count: count, held: turns.count)
            }
            let reply = lastReply
            change(to: Self.messages(instructions, turns: Array(turns[count...])))
            if count < turns.count { lastReply = reply }
            return turns[..<count].flatMap { $0 }
        }
    }

    /// How many turns must go for the last to fit with some room for its answer; nil if it does not fit alone.
    func turnsToDrop(from messages: [Message], capacity: Int, room: Int) throws -> Int? {
        let turns = Self.turns(of: messages)
        let instructions = messages.first.flatMap { $0.role == .system ? $0.text : nil }
        func tokens(without count: Int) throws -> Int {
            try prompt(of: Self.messages(instructions, turns: Array(turns[count...]))).tokens.count
        }
        guard turns.count > 1 else { return nil }
        let least = try tokens(without: turns.count - 1)
        if least >= capacity { return nil }
        // A last turn that leaves less room than that has what there is.
        let limit = max(capacity - room, least)
        var (below, enough) = (0, turns.count - 1)
        while enough - below > 1 {
            let middle = (below + enough) / 2
            if try tokens(without: middle) <= limit { enough = middle } else { below = middle }
        }
        return enough
    }

    private func change(to messages: [Message]) {
        self.messages = messages
        lastReply = nil
    }

    private static func messages(_ instructions: String?, turns: [[Message]]) -> [Message] {
        (instructions.map { [Message(.system, $0)] } ?? []) + turns.flatMap { $0 }
    }

    private static func turns(of messages: [Message]) -> [[Message]] {
        var turns: [[Message]] = []
        for message in messages where message.role != .system {
            if message.role == .user || turns.isEmpty {
                turns.append([message])
            } else {
                turns[turns.count - 1].append(message)
            }
        }
        return turns
    }
}
