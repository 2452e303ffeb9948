/// A chat template: the part of the Jinja language that real ones use, with the meaning it has there.
///
/// What a template can reach is the values it is given and nothing else; what it may use is limited.
///
/// ```swift
/// let template = try Template("{% for name in names %}Hello {{ name }}! {% endfor %}")
/// print(try template.render([("names", ["Ann", "Bo"])]))
/// ```
public struct Template: Sendable {
    private let statements: [Statement]
    private let limits: TemplateLimits
    /// All text that the template itself can write: what stands between its tags, and the strings inside them, with a
    /// zero byte between one and the next.
    package let literals: String

    /// - Throws: if the source is not well formed, or uses a tag, filter or test that is not part of the subset.
    public init(_ source: String, limits: TemplateLimits = TemplateLimits()) throws(TemplateError) {
        (statements, literals) = try Parser.read(source, limits: limits)
        self.limits = limits
    }

    /// The rendered text.
    ///
    /// - Parameters:
    ///   - values: the variables by name; of two equal names the last counts.
    ///   - date: what `strftime_now` tells; without it the template must not ask.
    public func render(
        _ values: [(String, TemplateValue)], date: TemplateDate? = nil
    ) throws(TemplateError) -> String {
        try text(values, date: date).string
    }

    /// The rendered text, cut where the template's own words and those from the values meet. The segments joined are
    /// what `render` gives.
    public func renderSegments(
        _ values: [(String, TemplateValue)], date: TemplateDate? = nil
    ) throws(TemplateError) -> [TemplateSegment] {
        try text(values, date: date).segments
    }

    private func text(_ given: [(String, TemplateValue)], date: TemplateDate?) throws(TemplateError) -> Text {
        var values: [(String, Value)] = []
        for (name, value) in given { values.append((name, try Value(value, room: limits.valueDepth))) }
        let evaluator = try Evaluator(values, date: date, limits: limits)
        return try evaluator.render(statements)
    }
}
