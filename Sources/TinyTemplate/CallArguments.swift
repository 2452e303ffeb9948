/// Arguments after their expressions were evaluated.
struct CallArguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    var isEmpty: Bool { positional.isEmpty && named.isEmpty }
}

/// Arguments in the order of a function's parameters, nil where none was given.
struct BoundArguments {
    let values: [Value?]
    let owner: String

    subscript(index: Int) -> Value? { values[index] }
    func value(_ index: Int) -> Value { values[index] ?? .none }
}

extension Evaluator {
    /// Matches arguments with parameters, by position and by name.
    ///
    /// - Parameters:
    ///   - names: the parameters; all that are missing after the first `required` are nil.
    ///   - owner: what is called, for messages: "filter 'join'".
    func bind(
        _ arguments: CallArguments, _ names: [String], required: Int = 0, _ owner: String
    ) throws(TemplateError) -> BoundArguments {
        if arguments.positional.count > names.count {
            throw fail("\(owner) takes no more than \(names.count) arguments, but got \(arguments.positional.count)")
        }
        var values: [Value?] =
            arguments.positional + [Value?](repeating: nil, count: names.count - arguments.positional.count)
        for (name, value) in arguments.named {
            guard let index = names.firstIndex(of: name) else { throw fail("\(owner) takes no argument '\(name)'") }
            if values[index] != nil { throw fail("\(owner) got its argument '\(name)' twice") }
            values[index] = value
        }
        for index in 0..<required where values[index] == nil {
            throw fail("\(owner) needs its argument '\(names[index])'")
        }
        return BoundArguments(values: values, owner: owner)
    }

    /// An argument that must be a string, if it is given.
    func text(_ arguments: BoundArguments, _ index: Int) throws(TemplateError) -> Text? {
        guard let value = arguments[index], !value.isNone else { return nil }
        guard case .text(let text) = value else {
            throw fail(value, "\(arguments.owner) needs a string, not \(value.kind)")
        }
        return text
    }

    func requiredText(_ arguments: BoundArguments, _ index: Int) throws(TemplateError) -> Text {
        guard let text = try text(arguments, index) else { throw fail("\(arguments.owner) needs a string, not none") }
        return text
    }

    func integer(_ arguments: BoundArguments, _ index: Int) throws(TemplateError) -> Int? {
        guard let value = arguments[index], !value.isNone else { return nil }
        guard let integer = value.integer else {
            throw fail(value, "\(arguments.owner) needs an integer, not \(value.kind)")
        }
        return integer
    }
}
