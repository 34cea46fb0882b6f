// Armadillo's mixtures and k-means behind the lines that peers.py explains.
#include <armadillo>
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

using arma::uword;

static std::string folder;

// One point a column: rows first in the file is columns first here.
static arma::mat numbers(const std::string& name, uword rows, uword cols) {
    arma::mat found(rows, cols);
    std::ifstream file(folder + "/" + name, std::ios::binary);
    file.read(reinterpret_cast<char*>(found.memptr()), sizeof(double) * found.n_elem);
    if (!file) throw std::runtime_error("cannot read " + name);
    return found;
}

struct Work {
    std::string task, kind;
    uword N, D, K;
    arma::mat X, means, fit;
    arma::rowvec weights;
    arma::mat covs;  // one column a component

    template <class Model, class Covs>
    double learn(Model& model, const Covs& start, uword n, bool print) {
        model.set_params(means, start, weights);
        const auto begin = std::chrono::steady_clock::now();
        const bool good = model.learn(X, K, arma::eucl_dist, arma::keep_existing, 0, n, 1e-10, print);
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        if (!good) throw std::runtime_error("learn() failed");
        fit = model.means;
        return taken.count();
    }

    double run(uword n, bool print) {
        if (task == "em" && kind == "full") {
            arma::gmm_full model;
            return learn(model, arma::cube(covs.memptr(), D, D, K), n, print);
        }
        if (task == "em") {
            arma::gmm_diag model;
            return learn(model, covs, n, print);
        }
        fit = means;
        const auto begin = std::chrono::steady_clock::now();
        const bool good = arma::kmeans(fit, X, K, arma::keep_existing, n, print);
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        if (!good) throw std::runtime_error("kmeans() failed");
        return taken.count();
    }

    // It may stop early, and says when only where it prints.
    uword count(uword n) {
        std::ostringstream heard;
        std::ostream& usual = arma::get_cout_stream();
        arma::set_cout_stream(heard);
        run(n, true);
        arma::set_cout_stream(usual);
        const std::string text = heard.str(), word = "iteration:";
        uword times = 0;
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++times;
        return times;
    }
};

int main(int, char** args) {
    folder = args[1];
    Work work;
    work.task = args[2];
    work.kind = args[3];
    work.N = std::stoull(args[4]);
    work.D = std::stoull(args[5]);
    work.K = std::stoull(args[6]);
    work.X = numbers("X", work.D, work.N);
    work.means = numbers("means", work.D, work.K);
    if (work.task == "em") {
        work.weights = numbers("weights", work.K, 1).t();
        work.covs = numbers("covs", work.kind == "full" ? work.D * work.D : work.D, work.K);
    }

    std::cout << "ready " << arma::arma_version::major << "." << arma::arma_version::minor << "."
              << arma::arma_version::patch << std::endl;
    std::map<uword, uword> counted;
    std::cout.precision(17);
    std::string request;
    while (std::cin >> request) {
        if (request == "run") {
            uword n;
            std::cin >> n;
            if (!counted.count(n)) counted[n] = work.count(n);
            const double seconds = work.run(n, false);
            std::cout << seconds << " " << counted[n] << std::endl;
        } else {
            std::ofstream file(folder + "/answer", std::ios::binary);
            file.write(reinterpret_cast<const char*>(work.fit.memptr()), sizeof(double) * work.fit.n_elem);
            file.close();
            std::cout << "saved" << std::endl;
        }
    }
}
