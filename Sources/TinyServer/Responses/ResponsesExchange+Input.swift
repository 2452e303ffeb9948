import TinyJSON
import TinyRunner

extension ResponsesExchange {
    /// `instructions` and `input`.
    static func turns(_ instructions: String?, _ fields: inout FieldReader) throws(APIError) -> Turns {
        var turns = Turns()
        if let instructions, !instructions.isEmpty { turns.add(.system, instructions) }
        let expected = "a string or an array of messages"
        let value = try fields.required("input", expected)
        switch value {
        case .string(let text): turns.add(.user, try someText(text, "input"))
        case .array(let items):
            guard FieldLimits.messages.contains(items.count) else {
                throw fields.outOfRange(
                    "input", "an array of \(items.count)",
                    "a string, or an array of 1 to \(FieldLimits.messages.upperBound) messages")
            }
            for var item in try fields.list("input") ?? [] {
                let (role, text) = try message(&item)
                turns.add(role, text)
            }
        default: throw fields.wrongType("input", value, expected)
        }
        guard turns.list.contains(where: { $0.role != .system }) else {
            throw .field("input", "holds nothing to answer; a message of a user is expected.", code: "invalid_value")
        }
        return turns
    }

    private static func message(_ item: inout FieldReader) throws(APIError) -> (Turns.Role, String) {
        if let type = try item.string("type"), type != "message" {
            throw .unsupported(
                item.name("type"), "\(APIError.quoted(type)) is not supported here; only \"message\" is.")
        }
        _ = try item.required("role", "a string")
        let role = try item.choice("role", ["user", "assistant", "system", "developer"]) ?? ""
        _ = try item.required("content", "a string or an array of blocks of text")
        let text = try item.text(
            "content", blocks: ["input_text", "output_text"],
            harmless: harmlessInBlocks)
        try item.finish(harmless: harmlessInMessages)
        // Templates know the developer by an older name.
        return (Turns.Role(rawValue: role) ?? .system, try someText(text ?? "", item.name("content")))
    }

    private static func someText(_ text: String, _ name: String) throws(APIError) -> String {
        if text.isEmpty { throw .field(name, "is empty; a text is expected.", code: "invalid_value") }
        return text
    }
}
