/// Why a file could not be written: which, and what to do about it.
public struct OutputError: Error, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// Something is there already.
        case exists
        /// It would be written over what it is made from.
        case isInput
        case noSpace
        /// The system said no.
        case system
        /// The format has no way to say it.
        case notPossible
    }

    public let kind: Kind
    public let file: String
    public let reason: String

    package init(_ kind: Kind, file: String, _ reason: String) {
        self.kind = kind
        self.file = file
        self.reason = reason
    }

    public var description: String { "\(file): \(reason)" }
}
