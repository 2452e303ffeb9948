/// Why a folder cannot be indexed or searched.
public enum RetrievalError: Error, Equatable, CustomStringConvertible {
    case unreadableFolder(path: String, reason: String)
    /// There is no index where one is looked for.
    case noIndex(path: String)
    /// A file, but none that was made here.
    case notAnIndex(path: String, reason: String)
    case newerIndex(path: String, version: Int, known: Int)
    case damagedIndex(path: String, reason: String)
    /// The system would not let the index be opened or written.
    case systemRefused(path: String, reason: String)
    /// Another process is at work on the index.
    case busy(path: String)
    /// An index made with one model, and another that is to search it or to go on with it.
    case otherModel(path: String, made: String, madeWidth: Int, asked: String, askedWidth: Int)
    /// A model that gives no usable vectors.
    case badVectors(model: String, reason: String)
    case badParameter(name: String, value: String, expected: String)

    public var description: String {
        switch self {
        case .unreadableFolder(let path, let reason): "\(path): \(reason); a folder of texts is expected"
        case .noIndex(let path):
            "\(path): there is no index; `tinygpt embed --index FOLDER` makes one"
        case .notAnIndex(let path, let reason):
            "\(path): is no index of passages: \(reason); name another file with --database"
        case .newerIndex(let path, let version, let known):
            "\(path): is an index of version \(version), and this program knows up to \(known); use a newer program, or "
                + "delete the file and index the folder again"
        case .damagedIndex(let path, let reason):
            "\(path): the index is damaged: \(reason); delete the file and index the folder again"
        case .systemRefused(let path, let reason): "\(path): \(reason)"
        case .busy(let path): "\(path): another process is at work on this index; wait until it has ended"
        case .otherModel(let path, let made, let madeWidth, let asked, let askedWidth):
            "\(path): was made with \(made) (vectors of \(madeWidth)), not with \(asked) (vectors of \(askedWidth)), and "
                + "vectors of different models cannot be compared; name the model it was made with, or delete the file and "
                + "index the folder again"
        case .badVectors(let model, let reason): "\(model): \(reason)"
        case .badParameter(let name, let value, let expected): "\(name) is \(value); \(expected) is expected"
        }
    }
}
