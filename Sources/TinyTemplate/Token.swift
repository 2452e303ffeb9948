struct Token: Sendable {
    enum Kind: Equatable, Sendable {
        /// Text between tags, white space already taken away.
        case data(Text)
        case expressionStart, expressionEnd
        case statementStart, statementEnd
        case name(String)
        case text(Text)
        case int(Int)
        case double(Double)
        case symbol(String)
        case end
    }

    let kind: Kind
    let line: Int

    /// How the token reads in messages.
    var description: String {
        switch kind {
        case .data: "text"
        case .expressionStart: "'{{'"
        case .expressionEnd: "'}}'"
        case .statementStart: "'{%'"
        case .statementEnd: "'%}'"
        case .name(let name): "'\(name)'"
        case .text: "a string"
        case .int(let value): "'\(value)'"
        case .double(let value): "'\(value)'"
        case .symbol(let symbol): "'\(symbol)'"
        case .end: "the end of the template"
        }
    }
}
