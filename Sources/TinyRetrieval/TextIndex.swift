#if Retrieval
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #else
        import Darwin
    #endif

    /// An index of a folder of texts: their passages, and a vector for each, kept in an SQLite file.
    ///
    ///     let embedder = try ModelEmbedder(at: "weights/all-MiniLM-L6-v2")
    ///     let index = try TextIndex(at: TextIndex.path(in: "notes"), creates: true)
    ///     try index.update(from: "notes", with: embedder)
    ///     for match in try index.search("Who feeds the cat?", with: embedder) { print(match.file, match.score) }
    ///
    /// Other processes may search while one brings the index up to date.
    public final class TextIndex: Sendable {
        /// The file that the index is kept in.
        public let path: String
        let store: IndexStore

        /// Where the index of a folder is kept, unless elsewhere: in the folder itself.
        public static func path(in folder: String) -> String { folder + "/.tinygpt/index.sqlite" }

        /// Opens an index.
        ///
        /// - Parameter creates: whether to make one, and the folder it is in, where there is none.
        /// - Throws: `RetrievalError`, where there is none, or where the file is no index, damaged, or made by a newer
        ///   program.
        public init(at path: String, creates: Bool = false) throws(RetrievalError) {
            self.path = path
            if creates { try Self.makeFolder(of: path) }
            store = try IndexStore(path: path, creates: creates)
        }

        /// One folder at the most: a folder of texts that is not there is a mistake, and is not made.
        private static func makeFolder(of path: String) throws(RetrievalError) {
            guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return }
            let folder = String(path[..<slash])
            if mkdir(folder, 0o755) == 0 || errno == EEXIST { return }
            throw .systemRefused(
                path: folder,
                reason: "the index's folder cannot be made: \(lastSystemError()); name another file with --database")
        }

        /// What every model is given, so that what it makes of it tells it from other models, whatever they are called.
        private static let sample = "The quick brown fox jumps over 13 lazy dogs. 敏捷的棕色狐狸跳过了懒狗。"
        /// Vectors of one text by one model, in either precision, on whatever kernels, are closer than this.
        private static let sameModel: Float = 0.995

        /// Makes sure that a model is the one that the index was made with.
        ///
        /// - Returns: the width of its vectors; nil where nothing was put in yet.
        func check(_ embedder: some TextEmbedder) throws -> Int? {
            guard let made = try store.model() else { return nil }
            let sample = try embedder.unitVectors(of: [Self.sample], for: .passage)[0]
            let product = zip(made.sample, sample).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            guard made.sample.count == sample.count, product > Self.sameModel else {
                throw RetrievalError.otherModel(
                    path: path, made: made.name, madeWidth: made.sample.count, asked: embedder.name,
                    askedWidth: sample.count)
            }
            return sample.count
        }

        /// The same, and remembers the model where nothing was put in yet.
        func remember(_ embedder: some TextEmbedder) throws -> Int {
            if let width = try check(embedder) { return width }
            let sample = try embedder.unitVectors(of: [Self.sample], for: .passage)[0]
            try store.remember(IndexedModel(name: embedder.name, sample: sample))
            return sample.count
        }
    }

    extension TextEmbedder {
        /// Vectors of length 1, as many as there are texts, all of one width.
        func unitVectors(of texts: [String], for use: TextUse) throws -> [[Float]] {
            let vectors = try vectors(of: texts, for: use)
            func bad(_ reason: String) -> RetrievalError { .badVectors(model: name, reason: reason) }
            guard vectors.count == texts.count else { throw bad("\(vectors.count) vectors for \(texts.count) texts") }
            return try vectors.map { vector in
                guard !vector.isEmpty, vector.count == vectors.first?.count else {
                    throw bad("vectors of \(vectors.first?.count ?? 0) and of \(vector.count) numbers")
                }
                let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
                guard length.isFinite, length > 0 else {
                    throw bad("a vector of length \(length), which has no direction")
                }
                return vector.map { Float(Double($0) / length) }
            }
        }
    }
#endif
