import TinyRunner

extension MessagesQuestion {
    /// `system` and `messages`, and whether the last of them is to be gone on with.
    static func turns(_ fields: inout FieldReader) throws(APIError) -> (Turns, continuesLast: Bool) {
        var turns = Turns()
        if let instructions = try text(&fields, "system"), !instructions.isEmpty { turns.add(.system, instructions) }
        _ = try fields.required("messages", "an array of messages")
        let messages = try fields.list("messages") ?? []
        guard FieldLimits.messages.contains(messages.count) else {
            throw fields.outOfRange(
                "messages", "an array of \(messages.count)", "an array of 1 to \(FieldLimits.messages.upperBound)")
        }
        var continuesLast = false
        for (index, var message) in messages.enumerated() {
            _ = try message.required("role", "a string")
            let role = try message.choice("role", ["user", "assistant", "system"]).flatMap(Turns.Role.init) ?? .user
            _ = try message.required("content", "a string or an array of blocks of text")
            let text = try text(&message, "content") ?? ""
            try message.finish()
            if index == messages.count - 1 && role == .assistant {
                continuesLast = try isBeginning(text, message.name("content"))
                if !continuesLast { break }
            } else if text.isEmpty {
                throw .field(message.name("content"), "is empty; a text is expected.", code: "invalid_value")
            }
            turns.add(role, text)
        }
        guard turns.list.contains(where: { $0.role != .system }) else {
            throw .field("messages", "hold nothing to answer; a message of a user is expected.", code: "invalid_value")
        }
        return (turns, continuesLast)
    }

    private static func text(_ fields: inout FieldReader, _ key: String) throws(APIError) -> String? {
        try fields.text(key, blocks: ["text"], harmless: harmlessInBlocks)
    }

    /// Whether an answer is begun with a text; an empty one begins none.
    private static func isBeginning(_ text: String, _ name: String) throws(APIError) -> Bool {
        // It would be cut into other tokens than the model writes.
        if text.last?.isWhitespace == true {
            throw .field(
                name, "ends with white space; the beginning of an answer has to end with another character.",
                code: "invalid_value")
        }
        return !text.isEmpty
    }
}
