/// Why a checkpoint whose files are sound cannot be run as a model: everything that is wrong with it, at once.
public struct ModelError: Error, Equatable, CustomStringConvertible {
    public let file: String
    public let problems: [String]

    package init(file: String, problems: [String]) {
        self.file = file
        self.problems = problems
    }

    package init(file: String, _ problem: String) { self.init(file: file, problems: [problem]) }

    public var description: String {
        guard problems.count > 1 else { return "\(file): \(problems.first ?? "cannot be used")" }
        let shown = problems.prefix(20).map { "\n  - \($0)" }.joined()
        let more = problems.count > 20 ? "\n  - and \(problems.count - 20) more" : ""
        return "\(file): \(problems.count) problems\(shown)\(more)"
    }
}
