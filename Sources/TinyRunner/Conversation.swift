public import TinyTemplate

/// A conversation as a chat template is given it: messages, and whatever else the template asks for.
///
/// ```swift
/// var conversation = Conversation([["role": "user", "content": "What is the weather in Rome?"]])
/// conversation.tools = [["type": "function", "function": ["name": "weather", "parameters": [:]]]]
/// print(try model.text(of: conversation))
/// ```
public struct Conversation: Sendable {
    /// Objects, as a rule with a "role" and a "content"; they reach the template whole.
    public var messages: [TemplateValue]
    /// Descriptions of functions that the model may call.
    public var tools: [TemplateValue]?
    /// Texts that the model is to go by.
    public var documents: [TemplateValue]?
    /// Whether the text ends where the assistant is to speak.
    public var addsGenerationPrompt = true
    /// Whether the last message, which has to be the assistant's, is only begun: the text ends where it ends, and the model
    /// goes on with it.
    public var continuesLast = false
    /// Further variables of the template, such as `enable_thinking`; they count more than what the model's files give.
    public var variables: [(name: String, value: TemplateValue)] = []

    public init(_ messages: [TemplateValue]) { self.messages = messages }

    package init(_ messages: [Chat.Message]) {
        self.init(messages.map { ["role": .string($0.role.rawValue), "content": .string($0.text)] })
    }

    /// What the template sees, the model's own constants first.
    func values(_ constants: [(String, TemplateValue)]) throws(RunnerError) -> [(String, TemplateValue)] {
        for (name, list) in [("messages", messages), ("tools", tools ?? []), ("documents", documents ?? [])] {
            for (index, item) in list.enumerated() {
                guard case .object = item else {
                    throw .badConversation("\(name)[\(index)] is \(item.kind), and an object is expected")
                }
            }
        }
        return constants + [
            ("messages", .array(messages.map(Self.trustingRole))), ("tools", tools.map(TemplateValue.array) ?? .none),
            ("documents", documents.map(TemplateValue.array) ?? .none),
            ("add_generation_prompt", .bool(addsGenerationPrompt)),
        ] + variables.map { ($0.name, $0.value) }
    }

    /// Templates build special tokens out of roles (`'<|' + message.role + '|>'`), so the well-known roles count as words
    /// of the template's author. Others stay what they are, somebody's text: a role "endoftext" must not end it.
    private static func trustingRole(_ message: TemplateValue) -> TemplateValue {
        guard case .object(let members) = message else { return message }
        return .object(
            members.map { member in
                guard member.key == "role", case .string(let role) = member.value, roles.contains(role) else {
                    return member
                }
                return TemplateValue.Member(member.key, .trusted(role))
            })
    }

    private static let roles: Set<String> = [
        "system", "developer", "user", "assistant", "model", "tool", "tool_call", "tool_response", "tool_responses",
        "function",
        "ipython", "observation", "context", "documents", "critic",
    ]
}

extension TemplateValue {
    /// What the value is called in messages.
    var kind: String {
        switch self {
        case .none: "null"
        case .bool: "true or false"
        case .integer, .number: "a number"
        case .string, .trusted: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
