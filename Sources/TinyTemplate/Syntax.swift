/// An expression, and the line it starts on.
struct Expression: Sendable {
    let line: Int
    let kind: Kind

    /// Whether nothing in it depends on a variable. (Calls and filters are left out: nothing asks about them.)
    var isConstant: Bool {
        switch kind {
        case .constant: true
        case .minus(let operand), .plus(let operand), .not(let operand): operand.isConstant
        case .list(let items), .tuple(let items): items.allSatisfy(\.isConstant)
        case .dictionary(let pairs): pairs.allSatisfy { $0.key.isConstant && $0.value.isConstant }
        default: false
        }
    }

    indirect enum Kind: Sendable {
        case constant(Value)
        case name(String)
        case list([Expression])
        case tuple([Expression])
        case dictionary([(key: Expression, value: Expression)])
        case attribute(Expression, Name)
        case item(Expression, Expression)
        case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
        case call(Expression, Arguments)
        case filter(Expression, Filter, Arguments)
        case test(Expression, Test, Arguments)
        case not(Expression)
        case minus(Expression)
        case plus(Expression)
        case binary(Expression, BinaryOperator, Expression)
        /// `a < b <= c`: every neighbouring pair must hold.
        case comparison(Expression, [(comparison: Comparison, operand: Expression)])
        case concatenation([Expression])
        case and(Expression, Expression)
        case or(Expression, Expression)
        case conditional(test: Expression, yes: Expression, no: Expression?)
        /// A filter or test nobody knows, in a branch that may never be taken: an error once it is.
        case unknown(String, name: String)
    }
}

/// An identifier, ready for looking up in mappings.
struct Name: Sendable {
    let string: String
    let text: Text

    init(_ string: String) {
        self.string = string
        text = Text(string)
    }
}

struct Arguments: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
}

enum BinaryOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
}

enum Comparison: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case isNotIn = "not in"
}

/// What can stand left of `=`, and after `for`.
indirect enum Target: Sendable {
    case name(String)
    case member(of: String, Name)
    case tuple([Target])
}

struct Statement: Sendable {
    let line: Int
    let kind: Kind

    indirect enum Kind: Sendable {
        case text(Text)
        case output(Expression)
        case choice([(test: Expression, body: [Statement])], otherwise: [Statement])
        case loop(ForLoop)
        case set(Target, Expression)
        /// `{% set name %}…{% endset %}`, with the filters that the text goes through.
        case capture(Target, [FilterCall], [Statement])
        case filter([FilterCall], [Statement])
        case macro(Macro)
        case with([(target: Target, value: Expression)], [Statement])
        /// `{% generation %}`: marks the assistant's words for training; here they only have a scope of their own.
        case scope([Statement])
        case leave
        case next
    }
}

struct ForLoop: Sendable {
    let target: Target
    let items: Expression
    let condition: Expression?
    let body: [Statement]
    let otherwise: [Statement]
}

struct Macro: Sendable {
    let name: String
    let parameters: [(name: String, initial: Expression?)]
    let body: [Statement]
    /// Whether the body speaks of `varargs` and `kwargs`; if not, surplus arguments are errors.
    let takesMoreArguments: Bool
    let takesMoreNames: Bool
}

struct FilterCall: Sendable {
    let line: Int
    let filter: Filter
    let arguments: Arguments
}
