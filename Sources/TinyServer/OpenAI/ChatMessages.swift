import TinyJSON
import TinyRunner
import TinyTemplate

/// The messages of a conversation as OpenAI writes them, for the model's template.
enum ChatMessages {
    private static let roles = ["system", "developer", "user", "assistant"]

    /// - Parameter fields: a body with `messages`.
    static func read(_ fields: inout FieldReader) throws(APIError) -> Conversation {
        guard let list = try fields.list("messages") else {
            throw .field(
                fields.name("messages"), "is missing; an array of messages is expected.",
                code: "missing_required_parameter")
        }
        if list.isEmpty {
            throw .field(
                fields.name("messages"), "is empty; at least one message is expected.", code: "invalid_value")
        }
        var messages: [TemplateValue] = []
        for var message in list { messages.append(try self.message(&message)) }
        return Conversation(messages)
    }

    private static func message(_ fields: inout FieldReader) throws(APIError) -> TemplateValue {
        let role = try fields.requiredString("role")
        if role == "tool" || role == "function" {
            throw .unsupported(fields.name("role"), "\"\(role)\": calls of tools are not supported here.")
        }
        guard roles.contains(role) else {
            throw fields.outOfRange("role", APIError.quoted(role), "\"system\", \"user\" or \"assistant\"")
        }
        try fields.refuse(
            ["tool_calls", "function_call", "tool_call_id"], "calls of tools are not supported here.")
        try fields.refuse(["audio"], "audio is not supported here.")
        let text = try content(&fields, required: role != "assistant")
        var members: [TemplateValue.Member] = [
            // Templates know it by its older name.
            TemplateValue.Member("role", .string(role == "developer" ? "system" : role)),
            TemplateValue.Member("content", .string(text)),
        ]
        if let name = try fields.string("name") { members.append(TemplateValue.Member("name", .string(name))) }
        try fields.finish(harmless: ["refusal", "annotations", "id"])
        return .object(members)
    }

    /// A text, or parts of one.
    private static func content(_ fields: inout FieldReader, required: Bool) throws(APIError) -> String {
        let expected = "a string, or an array of parts of type \"text\""
        guard let value = required ? try fields.required("content", expected) : fields.value("content") else {
            return ""
        }
        switch value {
        case .string(let text): return text
        case .array:
            var text = ""
            for var part in try fields.list("content") ?? [] {
                let type = try part.requiredString("type")
                guard type == "text" else {
                    throw .unsupported(
                        part.name("type"), "\(APIError.quoted(type)) is not supported here; only \"text\" is.")
                }
                text += try part.requiredString("text")
                try part.finish(harmless: ["annotations", "cache_control"])
            }
            return text
        default: throw fields.wrongType("content", value, expected)
        }
    }
}
